import { z } from 'zod'
import { DEFAULT_LIMIT, MAX_LIMIT } from '../domain/shared/pagination.ts'
import { STATUS } from '../http/error-body.ts'
import type { Route } from './route.ts'

type Json = { [key: string]: unknown }

/** Under /api: where the document is served. */
export const OPENAPI_PATH = '/openapi.json'

/** The REST API as an OpenAPI 3.1 document: everything that the routes' table and its schemas know. */
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

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)

function operation(route: Route, schemas: Json): Json {
  const { method, path, summary, needs, query, body, answer, statuses = [200] } = route
  const isList = answer instanceof z.ZodArray
  const parameters: Json[] = [
    ...[...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    })),
    ...(query === undefined ? [] : queryParameters(query)),
    ...(isList ? [ref('parameters', 'limit'), ref('parameters', 'cursor')] : []),
    ref('parameters', 'workspaceId'),
    ...(method === 'POST' ? [ref('parameters', 'Idempotency-Key')] : []),
  ]
  const data = toSchema(answer, 'output', schemas)
  const envelope = object(isList ? { data, meta: ref('schemas', 'PageMeta') } : { data })
  const success = {
    description: 'Success',
    headers: HEADER_REFS,
    content: { 'application/json': { schema: envelope } },
  }
  return {
    operationId: operationId(route),
    tags: [path.split('/')[path.startsWith('/v1') ? 2 : 1]],
    summary,
    description: `Requires ${needs}.`,
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
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    ...(required.includes(name) && { required: true }),
    schema,
  }))
}

/** A schema of ours as JSON Schema 2020-12; what has a name of its own goes into `schemas`. */
function toSchema(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  const { $schema, $defs = {}, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any', override: simplify })
  for (const [name, definition] of Object.entries($defs)) schemas[name] = componentsIn(definition)
  const { id } = json
  if (typeof id !== 'string') return componentsIn(json) as Json
  schemas[id] = componentsIn(json)
  return ref('schemas', id)
}

/** Less than zod knows: fields may be added to answers, and how a time is written needs no pattern of its own. */
function simplify({ jsonSchema }: { jsonSchema: Json }): void {
  if (jsonSchema['additionalProperties'] === false) delete jsonSchema['additionalProperties']
  delete jsonSchema['propertyNames']
  if (jsonSchema['format'] === 'date-time') delete jsonSchema['pattern']
}

/**
 * Components where zod has definitions: their names are their keys. Where code may also hand in what JSON has no type
 * for, such as a Date, the option that says nothing goes.
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

const ERROR = object({
  error: {
    ...object({
      code: { type: 'string', enum: [...Object.keys(STATUS), 'internal_error'] },
      message: { type: 'string' },
      status: { type: 'integer' },
    }),
    properties: {
      code: { type: 'string', enum: [...Object.keys(STATUS), 'internal_error'] },
      message: { type: 'string', description: 'What is wrong and what to do, in English. Do not parse it: use code.' },
      status: { type: 'integer' },
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
const PAGE_META = object({
  perPage: { type: 'integer', description: 'The page size.' },
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
    description: 'The ID of the workspace. Required with an all-workspaces key, ignored with other keys.',
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
  'X-Request-Id': header('The ID of the request, as in the server log.', 'string'),
  'X-RateLimit-Limit': header('The maximum number of requests per minute.'),
  'X-RateLimit-Remaining': header('The number of requests left in the current minute.'),
  'X-RateLimit-Reset': header('When the next minute starts, in Unix epoch seconds.'),
  'Idempotency-Replayed': header('`true` if this is the stored response of an earlier request.', 'string'),
}
const HEADER_REFS = Object.fromEntries(Object.keys(HEADERS).map((name) => [name, ref('headers', name)]))
const ERROR_RESPONSE = {
  description: 'The error.',
  content: { 'application/json': { schema: ref('schemas', 'Error') } },
}

/** Keys in order, so that a difference in the committed file is a difference of the API. */
function sorted<T>(value: T): T {
  if (Array.isArray(value)) return value.map(sorted) as T
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, child]) => [key, sorted(child)])) as T
}
