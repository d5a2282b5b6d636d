import { randomBytes, randomUUID } from 'node:crypto'
import { type GraphQLObjectType, isLeafType, isNonNullType, isObjectType } from 'graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { schema } from '../../src/resolvers/index.ts'
import { makeObjects } from '../rest/objects.ts'
import { startGudDesk, type TestGudDesk } from '../support/guddesk.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'

const ENCRYPTION_KEY = randomBytes(32).toString('hex')
const PASSWORD = `correct horse ${randomUUID()}`

let guddesk: TestGudDesk
let receiver: Receiver
/** Everything that was handed out or set during the run, by what it is. */
const secrets: Record<string, string> = { 'the encryption key': ENCRYPTION_KEY, 'a password': PASSWORD }
/** Every answer that was not the making one. */
const answers: string[] = []

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { ENCRYPTION_KEY, LOG_LEVEL: 'trace' } })
  receiver = await startReceiver()
  await run()
})

afterAll(async () => {
  await guddesk?.stop()
  await receiver?.close()
})

/** One of everything that makes a secret, uses one, or fails with one at hand. */
async function run(): Promise<void> {
  const { tenant, call, graphql } = guddesk
  secrets['the first key'] = tenant.key
  const objects = await makeObjects(guddesk)
  secrets["an agent's key"] = objects.agentKey
  const headers = { 'idempotency-key': randomUUID() }
  const install = { name: 'Bot', webhookUrl: `${receiver.url}/agent` }
  const { data } = await call('POST', '/api/v1/agents', install, { headers })
  secrets['an installed agent’s key'] = data.credentials.apiKey
  secrets['an installed agent’s secret'] = data.credentials.webhookSecret
  const registered = await call('POST', '/api/agent/webhooks', { url: receiver.url })
  secrets['an endpoint’s secret'] = registered.data.endpoint.secret
  const endpointId = registered.data.endpoint.id
  const rotate = `mutation ($input: RotateWebhookSecretInput!) { rotateWebhookSecret(input: $input) {
    ... on RotateWebhookSecretPayload { secret } } }`
  const rotated = await graphql(rotate, { input: { endpointId } })
  secrets['a rotated secret'] = rotated.data.rotateWebhookSecret.secret
  const create = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
    ... on CreateApiKeyPayload { key } } }`
  const created = await graphql(create, { input: { name: 'K', permission: 'READ_ONLY' } })
  secrets['a made key'] = created.data.createApiKey.key
  await guddesk.setPassword(tenant, PASSWORD)
  secrets['a session'] = await guddesk.newSession(tenant)
  const { email } = await guddesk.deps.db.prisma.user.findUniqueOrThrow({ where: { id: tenant.userId } })
  await call('POST', '/api/auth/sign-in/email', { email, password: PASSWORD }, { key: null })
  await call('POST', '/api/auth/sign-in/email', { email, password: `${PASSWORD}x` }, { key: null })
  // What goes wrong with a secret in it: in a path, a body, a header, a query, a document.
  answers.push(
    (await call('GET', `/api/v1/conversations/${data.credentials.apiKey}x`)).headers.get('x-request-id') ?? '',
  )
  await call('POST', '/api/v1/customers', { email: tenant.key, name: 1 })
  await call('GET', '/api/v1/customers', undefined, { headers: { 'x-api-key': tenant.key }, key: null })
  await call('GET', `/api/v1/customers?cursor=${tenant.key}`)
  await guddesk.graphql(`{ node(id: "${tenant.key}") { id } unknown }`)
  await guddesk.newConversation(tenant, 'Hello')
  await receiver.waitFor(2)
}

test('the run made what it should have', () => {
  expect(Object.keys(secrets)).toHaveLength(10)
  for (const [what, secret] of Object.entries(secrets)) expect([what, secret?.length > 20]).toEqual([what, true])
  expect(receiver.received.length).toBeGreaterThan(0)
})

function expectNone(text: string, where: string): void {
  for (const [what, secret] of Object.entries(secrets))
    expect([where, what, text.includes(secret)]).toEqual([where, what, false])
}

test('no secret is in the log', () => {
  expect(guddesk.logs.length).toBeGreaterThan(20)
  for (const line of guddesk.logs) expectNone(JSON.stringify(line), JSON.stringify(line).slice(0, 200))
})

test('no secret is in the database, in any column of any table', async () => {
  const { db } = guddesk.deps
  const tables = await db.sql<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`,
  )
  expect(tables.length).toBeGreaterThan(15)
  for (const { name } of tables) {
    const rows = await db.sql<{ row: string }>(`SELECT row_to_json(t)::text AS row FROM "${name}" t`)
    for (const { row } of rows) expectNone(row, name)
  }
})

/** All fields of a type that are values, and those of its objects, down to some depth. */
function selection(type: GraphQLObjectType, depth: number): string {
  const fields = Object.values(type.getFields()).flatMap((field) => {
    if (field.args.some(({ type, defaultValue }) => isNonNullType(type) && defaultValue === undefined)) return []
    let inner = field.type
    while ('ofType' in inner) inner = inner.ofType
    if (isLeafType(inner)) return [field.name]
    return isObjectType(inner) && depth > 0 ? [`${field.name} { ${selection(inner, depth - 1)} }`] : []
  })
  return ['__typename', ...fields].join(' ')
}

test('no secret is in what GraphQL and REST show afterwards', async () => {
  const queries = Object.values(schema.getQueryType()?.getFields() ?? {}).filter(
    ({ args }) => !args.some(({ type }) => isNonNullType(type)),
  )
  expect(queries.length).toBeGreaterThan(10)
  let shown = 0
  for (const { name, type } of queries) {
    let inner = type
    while ('ofType' in inner) inner = inner.ofType
    if (!isObjectType(inner)) continue
    const isList =
      name === 'me' || name === 'sessions' ? guddesk.newSession(guddesk.tenant) : Promise.resolve(guddesk.tenant.key)
    const { body } = await guddesk.graphql(`{ ${name} { ${selection(inner, 2)} } }`, {}, { key: await isList })
    if (body.errors === undefined) shown += 1
    expectNone(JSON.stringify(body), name)
  }
  expect(shown).toBeGreaterThan(8)
  for (const path of [
    '/v1/agents',
    '/agent/webhooks',
    '/v1/workspaces',
    '/v1/conversations',
    '/v1/customers',
    '/v1/articles',
  ]) {
    const { status, body } = await guddesk.call('GET', `/api${path}`)
    expect(status).toBe(200)
    expectNone(JSON.stringify(body), path)
  }
})
