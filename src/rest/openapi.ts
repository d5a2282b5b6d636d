import { z } from 'zod'
import { DEFAULT_LIMIT, MAX_LIMIT } from '../domain/shared/pagination.ts'
import { STATUS } from '../http/error-body.ts'
import type { Route } from './route.ts'

type Json = { [key: string]: unknown }

/** Under /api: where the document is served. */
export const OPENAPI_PATH = '/openapi.json'

/** The REST API as an OpenAPI 3.1 document, generated from the routes and their schemas. */
export function openApiDocument(routes: readonly Route[], version: string): Json {
  const schemas: Json = {}
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, schemas) }
  }
  return sorted({
    openapi: '3.1.0',
    info: {
      title: 'GudDesk',
      version,
      license: { name: 'MIT', identifier: 'MIT' },
      description: 'Conversations with visitors, agents, and webhooks. The guide is docs/contract.md.',
    },
    servers: [{ url: '/api' }],
    security: [{ bearer: [] }, { apiKey: [] }],
    paths,
    components: {
      schemas: { ...schemas, Error: ERROR, PageMeta: PAGE_META },
      parameters: PARAMETERS,
      headers: HEADERS,
      responses: { Error: ERROR_RESPONSE },
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'The API key: `gd_` followed by 43 base64url characters.',
        },
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'The API key, without `Bearer`.' },
      },
    },
  })
}

/** `GET /v1/customers/:id` → `getCustomersById`. */
function operationId({ method, path }: Route): string {
  const words = path.replace('/v1', '').split('/').filter(Boolean)
  const names = words.map((word) => (word.startsWith(':') ? `By${capital(word.slice(1))}` : capital(word)))
  return method.toLowerCase() + names.join('')
}

/** `/v1/customers/:id` → `customer`. */
const nounOf = (path: string) => (path.split('/').at(2) ?? '').replace(/s$/, '')

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)

function operation(route: Route, schemas: Json): Json {
  const { method, path, summary, needs, query, body, response, statuses = [200] } = route
  const isList = response instanceof z.ZodArray
  const parameters: Json[] = [
    ...[...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      description: `The id of the ${nounOf(path)}.`,
      schema: { type: 'string' },
    })),
    ...(query === undefined ? [] : queryParameters(query)),
    ...(isList ? [ref('parameters', 'limit'), ref('parameters', 'cursor')] : []),
    ref('parameters', 'workspaceId'),
    ...(method === 'POST' ? [ref('parameters', 'Idempotency-Key')] : []),
  ]
  const data = toSchema(response, 'output', schemas)
  const envelope = object(
    isList
      ? { data: { ...data, description: 'The objects on this page.' }, meta: ref('schemas', 'PageMeta') }
      : { data },
  )
  const success = {
    description: 'The operation succeeded.',
    headers: HEADER_REFS,
    content: { 'application/json': { schema: envelope } },
  }
  return {
    operationId: operationId(route),
    tags: [path.split('/')[path.startsWith('/v1') ? 2 : 1]],
    summary,
    description: `Requires a key with the permission ${needs}.`,
    parameters,
    ...(body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: toSchema(body, 'input', schemas) } } },
    }),
    responses: {
      ...Object.fromEntries(statuses.map((status) => [status, success])),
      default: ref('responses', 'Error'),
    },
  }
}

function queryParameters(query: z.ZodType): Json[] {
  const { properties = {}, required = [] } = toSchema(query, 'input', {}) as { properties?: Json; required?: string[] }
  return Object.entries(properties as Record<string, Json>).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    description,
    ...(required.includes(name) && { required: true }),
    schema,
  }))
}

/** A zod schema as JSON Schema 2020-12. Named schemas are added to `schemas`. */
function toSchema(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  const { $schema, $defs = {}, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any', override: simplify })
  for (const [name, definition] of Object.entries($defs)) schemas[name] = componentsIn(definition)
  const { id } = json
  if (typeof id !== 'string') return componentsIn(json) as Json
  schemas[id] = componentsIn(json)
  return ref('schemas', id)
}

/** Removes keywords that promise too much or repeat others: responses can get new fields, and date-time needs no pattern. */
function simplify({ jsonSchema }: { jsonSchema: Json }): void {
  if (jsonSchema['additionalProperties'] === false) delete jsonSchema['additionalProperties']
  delete jsonSchema['propertyNames']
  if (jsonSchema['format'] === 'date-time') delete jsonSchema['pattern']
}

/**
 * Replaces zod's definitions with components, whose keys are their names, and removes empty options: they stand for types
 * that JSON lacks, such as a Date.
 */
function componentsIn(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(componentsIn)
  if (typeof value !== 'object' || value === null) return value
  if ('anyOf' in value && Array.isArray(value.anyOf)) {
    const { anyOf, ...rest } = value
    const options = value.anyOf.filter((option: object) => Object.keys(option).length > 0)
    if (options.length === 1) return componentsIn({ ...rest, ...options[0] })
    if (options.length < anyOf.length) return componentsIn({ ...rest, anyOf: options })
  }
  const entries = Object.entries(value).filter(([key, child]) => !(key === 'id' && typeof child === 'string'))
  return Object.fromEntries(
    entries.map(([key, child]) => [
      key,
      key === '$ref' ? String(child).replace('#/$defs/', '#/components/schemas/') : componentsIn(child),
    ]),
  )
}

const ref = (kind: string, name: string): Json => ({ $ref: `#/components/${kind}/${name}` })
const object = (properties: Json): Json => ({ type: 'object', properties, required: Object.keys(properties) })
const describedObject = (description: string, properties: Json): Json => ({ ...object(properties), description })

const ERROR_FIELDS: Json = {
  code: {
    type: 'string',
    enum: [...Object.keys(STATUS), 'internal_error'],
    description: 'The stable code of the error.',
  },
  message: {
    type: 'string',
    description: 'The cause and the remedy, in English. Do not parse the message: use the code.',
  },
  status: { type: 'integer', description: 'The HTTP status.' },
}

const ERROR = describedObject('A failed request.', {
  error: {
    ...object(ERROR_FIELDS),
    description: 'The cause of the failure.',
    properties: {
      ...ERROR_FIELDS,
      fields: {
        type: 'array',
        description: 'The invalid values. Present only if the code is bad_request.',
        items: object({
          path: {
            type: 'string',
            description: 'The path of the value, separated by dots. Empty for the whole request.',
          },
          message: { type: 'string', description: 'The rule that the value breaks.' },
        }),
      },
    },
  },
})

const NULLABLE_TEXT = { type: ['string', 'null'] }
const PAGE_META = describedObject('The position and the size of a page.', {
  perPage: { type: 'integer', description: 'The maximum number of objects on a page.' },
  total: { type: 'integer', description: 'The number of matching objects on all pages.' },
  nextCursor: { ...NULLABLE_TEXT, description: 'The cursor of the next page. Null on the last page.' },
  cursor: { ...NULLABLE_TEXT, description: 'The same value as nextCursor.' },
})

const PARAMETERS: Json = {
  limit: {
    name: 'limit',
    in: 'query',
    schema: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT },
    description: `The page size, 1 to ${MAX_LIMIT}. Default ${DEFAULT_LIMIT}.`,
  },
  cursor: {
    name: 'cursor',
    in: 'query',
    schema: { type: 'string' },
    description: 'The nextCursor of the previous page. Default: the first page.',
  },
  workspaceId: {
    name: 'workspaceId',
    in: 'query',
    schema: { type: 'string' },
    description: 'The id of the workspace. Required with an all-workspaces key, ignored with other keys.',
  },
  'Idempotency-Key': {
    name: 'Idempotency-Key',
    in: 'header',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
    description:
      'A unique key, 1 to 255 printable ASCII characters. For 24 hours, the same request with the same key returns the first response.',
  },
}

const header = (description: string, type = 'integer') => ({ description, schema: { type } })
const HEADERS = {
  'X-Request-Id': header('The id of the request, as in the server log.', 'string'),
  'X-RateLimit-Limit': header('The maximum number of requests per minute.'),
  'X-RateLimit-Remaining': header('The number of requests left in the current minute.'),
  'X-RateLimit-Reset': header('The time when the next minute starts, in Unix epoch seconds.'),
  'Idempotency-Replayed': header('`true` if this is the stored response of an earlier request.', 'string'),
}
const HEADER_REFS = Object.fromEntries(Object.keys(HEADERS).map((name) => [name, ref('headers', name)]))
const ERROR_RESPONSE = {
  description: 'The operation failed.',
  content: { 'application/json': { schema: ref('schemas', 'Error') } },
}

/** Sorts all keys, so that the committed file changes only if the API does. */
function sorted<T>(value: T): T {
  if (Array.isArray(value)) return value.map(sorted) as T
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, child]) => [key, sorted(child)])) as T
}
