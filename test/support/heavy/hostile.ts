import fc from 'fast-check'
import {
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLOutputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
} from 'graphql'
import { schema } from '../../../src/resolvers/index.ts'
import { routes } from '../../../src/rest/app.ts'
import { openApiDocument } from '../../../src/rest/openapi.ts'

// Requests that fit what the API describes, most of the time, and are made to break it.

type Json = { [key: string]: unknown }

export interface HostileRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: unknown
}

interface Bounds {
  readonly numRuns: number
  readonly interruptAfterTimeLimit?: number
  readonly seed?: number
}

/**
 * How many requests of an operation are tried: `few`, for at most so long, or as many as FUZZ_RUNS says. Each run makes
 * others up; fast-check prints the seed of one that failed, and FUZZ_SEED repeats it.
 */
export function runs(few: number): Bounds {
  const { FUZZ_RUNS: many, FUZZ_SEED: seed } = process.env
  const bounds = many === undefined ? { numRuns: few, interruptAfterTimeLimit: 1000 } : { numRuns: Number(many) }
  return seed === undefined ? bounds : { ...bounds, seed: Number(seed) }
}

const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.constantFrom('', ' ', '\u0000', '\ud800', '\u202e', "'; DROP TABLE visitors; --", '../../etc/passwd', '%00'),
  fc.constantFrom('__proto__', 'constructor', 'null', 'NaN', '-0', '1e999', '9999-12-31T23:59:59.999Z', '[]', '{}'),
  fc.integer({ min: 1, max: 12_000 }).map((length) => 'é'.repeat(length)),
)
const deep = fc.integer({ min: 2, max: 2000 }).map((levels) => {
  let value: unknown = 'bottom'
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? { a: value } : [value]
  return value
})
const anything = fc.oneof(
  nasty,
  fc.double(),
  fc.maxSafeInteger(),
  fc.boolean(),
  fc.constant(null),
  fc.jsonValue(),
  deep,
)
const instants = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => date.toJSON()),
  fc.constantFrom('0000-01-01T00:00:00Z', '9999-12-31T23:59:59.999+14:00', '2026-02-30T00:00:00Z'),
)
const urls = fc.oneof(
  fc.webUrl(),
  fc.constantFrom('http://127.0.0.1:9/', 'http://[::1]/', 'https://10.0.0.1', 'file:///etc/passwd', 'javascript:1'),
  nasty,
)

const likely = <T>(fitting: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 6, arbitrary: fitting }, { weight: 1, arbitrary: anything })

/** Of the workspace, so that something is found, and neither too often. */
const namesOf = (pool: readonly string[]) => fc.oneof(fc.constantFrom(...pool), fc.string({ maxLength: 30 }), nasty)

function fittingSchema(schema: Json, pool: readonly string[]): fc.Arbitrary<unknown> {
  const options = schema['anyOf'] as Json[] | undefined
  if (options !== undefined) return fc.oneof(...options.map((option) => fittingSchema(option, pool)))
  const types = schema['type']
  const type = Array.isArray(types) ? types[0] : types
  if (schema['enum'] !== undefined) return fc.constantFrom(...(schema['enum'] as unknown[]))
  if (type === 'integer') return fc.oneof(fc.integer({ min: -3, max: 5 }), fc.integer())
  if (type === 'boolean') return fc.boolean()
  if (type === 'array') return fc.array(likely(fittingSchema((schema['items'] ?? {}) as Json, pool)), { maxLength: 5 })
  if (schema['format'] === 'date-time') return instants
  if (type === 'object' && schema['properties'] !== undefined) {
    const fields = Object.entries(schema['properties'] as Record<string, Json>)
    const values = fields.map(([name, child]) => [name, likely(fittingSchema(child, pool))] as const)
    return fc.record({ ...Object.fromEntries(values), extra: anything }, { requiredKeys: [] })
  }
  if (type === 'object') return fc.oneof(fc.dictionary(nasty, fc.jsonValue(), { maxKeys: 4 }), deep)
  return fc.oneof(namesOf(pool), urls)
}

interface Operation {
  readonly name: string
  /** @param pool ids and other names that the asking workspace has */
  requests(pool: readonly string[]): fc.Arbitrary<HostileRequest>
}

const document = openApiDocument(routes, '0.0.0') as { paths: Record<string, Record<string, Json>> }

/** Of every operation of the OpenAPI document. */
export const REST_OPERATIONS: readonly Operation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    requests: (pool) => restRequests(method.toUpperCase(), path, operation, pool),
  })),
)

function restRequests(method: string, path: string, operation: Json, pool: readonly string[]) {
  const body = operation['requestBody'] as { content: Record<string, { schema: Json }> } | undefined
  const schema = body?.content['application/json']?.schema
  const parameters = operation['parameters'] as { name?: string; in?: string; schema?: Json }[]
  const filters = parameters.filter((parameter) => parameter.in === 'query').map(({ name = '' }) => name)
  const query = fc.dictionary(
    fc.constantFrom('limit', 'cursor', 'workspaceId', ...filters),
    fc.oneof(nasty, namesOf(pool)),
    {
      maxKeys: 3,
    },
  )
  const parts = fc.record({
    id: fc.oneof(fc.constantFrom(...pool), nasty),
    query,
    body: schema === undefined ? fc.constant(undefined) : likely(fittingSchema(schema, pool)),
    key: fc.option(fc.string({ maxLength: 300 }), { freq: 4 }),
  })
  return parts.map(({ id, query, body, key }): HostileRequest => {
    // What cannot be put into a URL or header at all is not sent.
    const encoded = id.isWellFormed() ? encodeURIComponent(id) : '%ED%A0%80'
    const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value.isWellFormed()))
    const headers: Record<string, string> = key !== null && /^[\x20-\x7e]*$/.test(key) ? { 'idempotency-key': key } : {}
    return { method, path: `/api${path.replace('{id}', encoded)}?${search}`, headers, body }
  })
}

function fittingInput(type: GraphQLInputType, pool: readonly string[]): fc.Arbitrary<unknown> {
  if (isNonNullType(type)) return fittingInput(type.ofType, pool)
  if (isListType(type)) return fc.array(likely(fittingInput(type.ofType, pool)), { maxLength: 4 })
  if (isEnumType(type)) return fc.constantFrom(...type.getValues().map(({ name }) => name))
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields())
    const values = fields.map((field) => [field.name, likely(fittingInput(field.type, pool))] as const)
    const requiredKeys = fields.filter((field) => isNonNullType(field.type)).map(({ name }) => name)
    return fc.record(Object.fromEntries(values), { requiredKeys })
  }
  const scalars: Record<string, fc.Arbitrary<unknown>> = {
    ID: namesOf(pool),
    Int: fc.oneof(fc.integer({ min: -3, max: 100 }), fc.integer(), fc.constantFrom(2 ** 31, -(2 ** 31) - 1)),
    Boolean: fc.boolean(),
    DateTime: instants,
    URL: urls,
    JSON: fc.oneof(fc.dictionary(nasty, fc.jsonValue(), { maxKeys: 4 }), fc.jsonValue(), deep),
  }
  return scalars[type.name] ?? fc.oneof(namesOf(pool), fc.emailAddress())
}

/** What can be asked of a type without arguments, so many levels deep. */
function selectionOf(type: GraphQLOutputType, depth: number): string {
  const named = getNamedType(type)
  if (isLeafType(named)) return ''
  const fields = isObjectType(named) || isInterfaceType(named) ? Object.values(named.getFields()) : []
  const asked = fields
    .filter((field) => !field.args.some(isRequiredArgument))
    .flatMap((field) => {
      if (isLeafType(getNamedType(field.type))) return [field.name]
      return depth > 0 ? [`${field.name} ${selectionOf(field.type, depth - 1)}`] : []
    })
  return `{ __typename ${asked.join(' ')} }`
}

/** Of every field of Query and Mutation; subscriptions have a way of their own. */
export const GRAPHQL_OPERATIONS: readonly Operation[] = [schema.getQueryType(), schema.getMutationType()].flatMap(
  (root) =>
    Object.values<GraphQLField<unknown, unknown>>(root?.getFields() ?? {}).map((field) => ({
      name: `${root?.name}.${field.name}`,
      requests: (pool) =>
        operationsOn(root?.name.toLowerCase() ?? '', field, pool).map((body) => {
          return { method: 'POST', path: '/graphql', headers: {}, body }
        }),
    })),
)

/** A document that uses a root field, with its variables. */
export interface HostileOperation {
  readonly query: string
  readonly variables: Record<string, unknown>
}

export function operationsOn(
  root: string,
  { name, args, type }: GraphQLField<unknown, unknown>,
  pool: readonly string[],
): fc.Arbitrary<HostileOperation> {
  const declared = args.map((argument) => `$${argument.name}: ${argument.type}`).join(', ')
  const given = args.map((argument) => `${argument.name}: $${argument.name}`).join(', ')
  const list = (text: string) => (text === '' ? '' : `(${text})`)
  const query = `${root} ${list(declared)} { ${name}${list(given)} ${selectionOf(type, 2)} }`
  const values = args.map((argument) => [argument.name, likely(fittingInput(argument.type, pool))] as const)
  const requiredKeys = args.filter(isRequiredArgument).map((argument) => argument.name)
  return fc
    .record(Object.fromEntries(values), { requiredKeys })
    .map((variables) => ({ query, variables: { ...variables } }))
}
