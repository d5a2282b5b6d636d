import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { routes } from '../../src/rest/app.ts'
import { openApiDocument } from '../../src/rest/openapi.ts'
import { makeObjects, type Objects } from '../rest/objects.ts'
import { startGudDesk, type TestGudDesk } from '../support/guddesk.ts'

type Json = { [key: string]: unknown }

let guddesk: TestGudDesk
let objects: Objects
const rejections: unknown[] = []
const note = (error: unknown) => rejections.push(error)

beforeAll(async () => {
  process.on('unhandledRejection', note)
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  objects = await makeObjects(guddesk)
})

afterAll(async () => {
  process.off('unhandledRejection', note)
  await guddesk?.stop()
})

const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.constantFrom('', ' ', '\u0000', '\ud800', '\u202e', "'; DROP TABLE visitors; --", '../../etc/passwd', '%00'),
  fc.constantFrom('__proto__', 'constructor', 'null', 'NaN', '-0', '1e999', '9999-12-31T23:59:59.999Z', '[]', '{}'),
  fc.integer({ min: 1, max: 12_000 }).map((length) => 'é'.repeat(length)),
)
const anything = fc.oneof(nasty, fc.double(), fc.maxSafeInteger(), fc.boolean(), fc.constant(null), fc.jsonValue())

/** A value that fits a schema, most of the time. */
function fitting(schema: Json): fc.Arbitrary<unknown> {
  const options = schema['anyOf'] as Json[] | undefined
  if (options !== undefined) return fc.oneof(...options.map(fitting))
  const types = schema['type']
  const type = Array.isArray(types) ? types[0] : types
  if (schema['enum'] !== undefined) return fc.constantFrom(...(schema['enum'] as unknown[]))
  if (type === 'integer') return fc.integer({ min: -3, max: 5 })
  if (type === 'boolean') return fc.boolean()
  if (type === 'array') return fc.array(likely((schema['items'] ?? {}) as Json), { maxLength: 5 })
  if (schema['format'] === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toJSON())
  if (type === 'object' && schema['properties'] !== undefined) return objectOf(schema)
  if (type === 'object') return fc.dictionary(nasty, fc.jsonValue(), { maxKeys: 4 })
  return fc.oneof(fc.string({ maxLength: 30 }), fc.constantFrom(...Object.values(objects)), nasty)
}

const likely = (schema: Json): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 4, arbitrary: fitting(schema) }, { weight: 1, arbitrary: anything })

function objectOf(schema: Json): fc.Arbitrary<unknown> {
  const properties = schema['properties'] as Record<string, Json>
  const fields = Object.entries(properties).map(([name, child]) => [name, likely(child)] as const)
  return fc.record({ ...Object.fromEntries(fields), extra: anything }, { requiredKeys: [] })
}

const document = openApiDocument(routes, '0.0.0') as { paths: Record<string, Record<string, Json>> }
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
)

test.each(operations)('$method $path answers whatever comes, and never with a fault of its own', async (operation) => {
  const { method, path } = operation
  const body = operation.operation['requestBody'] as { content: Record<string, { schema: Json }> } | undefined
  const schema = body?.content['application/json']?.schema
  const parameters = operation.operation['parameters'] as { name?: string; in?: string; schema?: Json }[]
  const filters = parameters.filter((parameter) => parameter.in === 'query').map(({ name = '' }) => name)
  const input = fc.record({
    id: fc.oneof(fc.constantFrom(...Object.values(objects)), nasty),
    query: fc.dictionary(fc.constantFrom('limit', 'cursor', 'workspaceId', ...filters), nasty, { maxKeys: 3 }),
    body: schema === undefined ? fc.constant(undefined) : likely(schema),
    key: fc.option(fc.string({ maxLength: 300 }), { freq: 4 }),
  })
  const property = fc.asyncProperty(input, async ({ id, query, body, key }) => {
    // What cannot be put into a URL or header at all is not sent.
    const encoded = id.isWellFormed() ? encodeURIComponent(id) : '%ED%A0%80'
    const search = Object.entries(query).filter(([, value]) => value.isWellFormed())
    const url = `/api${path.replace('{id}', encoded)}?${new URLSearchParams(search)}`
    const headers = key !== null && /^[\x20-\x7e]*$/.test(key) ? { 'idempotency-key': key } : {}
    // Answers are compared with openapi.json on the way.
    const answer = await guddesk.call(method, url, body, { headers })
    expect([answer.status < 500, answer.status]).toEqual([true, answer.status])
    expect(answer.headers.get('x-request-id')).toMatch(/\S/)
  })
  await fc.assert(property, { numRuns: 60 })
})

test('after all that, nothing was rejected unseen, no fault logged, and no secret', () => {
  expect(rejections).toEqual([])
  const lines = guddesk.logs
  expect(lines.length).toBeGreaterThan(500)
  expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([])
  const text = JSON.stringify(lines)
  for (const secret of [guddesk.tenant.key, objects.agentKey]) expect(text).not.toContain(secret)
  expect(text).not.toMatch(/gd_[A-Za-z0-9_-]{20}/)
})
