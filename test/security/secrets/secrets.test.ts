import { randomBytes, randomUUID } from 'node:crypto'
import { type GraphQLObjectType, isLeafType, isNonNullType, isObjectType } from 'graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { schema } from '../../../src/resolvers/index.ts'
import { overWebSocket } from '../../graphql/live.ts'
import { makeObjects } from '../../rest/objects.ts'
import { type Answer, type Call, startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'

const ENCRYPTION_KEY = randomBytes(32).toString('hex')
const PASSWORD = `correct horse ${randomUUID()}`

let guddesk: TestGudDesk
let receiver: Receiver
/** Everything that was handed out or set during the run, by what it is. */
const secrets: Record<string, string> = { 'the encryption key': ENCRYPTION_KEY, 'a password': PASSWORD }
/** Every answer but those that make a secret, which show it once. */
const answers: { what: string; text: string }[] = []

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { ENCRYPTION_KEY } })
  receiver = await startReceiver()
  await run()
})

afterAll(async () => {
  await guddesk?.stop()
  await receiver?.close()
})

/** A request whose answer must show no secret. */
async function ask(...[method, path, body, options]: Parameters<TestGudDesk['call']>): Promise<Answer> {
  const answer = await guddesk.call(method, path, body, options)
  const text = JSON.stringify([answer.body, Object.fromEntries(answer.headers)])
  answers.push({ what: `${method} ${path.slice(0, 60)} ${JSON.stringify(body ?? null).slice(0, 80)}`, text })
  return answer
}

const askGraphql = (query: string, variables: object = {}, options: Call = {}) =>
  ask('POST', '/graphql', { query, variables }, options)

/** A mutation that makes a secret: its payload. */
async function make(name: string, input: object, fields: string) {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}`
  const query = `mutation ($input: ${type}Input!) { made: ${name}(input: $input) { ... on ${type}Payload { ${fields} } } }`
  return (await guddesk.graphql(query, { input })).data.made
}

/** One of everything that makes a secret, uses one, or fails with one at hand. */
async function run(): Promise<void> {
  const { tenant, call } = guddesk
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
  secrets['a rotated secret'] = (await make('rotateWebhookSecret', { endpointId }, 'secret')).secret
  const second = { url: `${receiver.url}/second` }
  secrets['a made endpoint’s secret'] = (await make('registerWebhookEndpoint', second, 'secret')).secret
  secrets['a rotated agent’s key'] = (await make('rotateAgentApiKey', { agentId: data.id }, 'key')).key
  secrets['a made key'] = (await make('createApiKey', { name: 'K', permission: 'READ_ONLY' }, 'key')).key
  const invitee = { email: 'eve@example.com', role: 'VIEWER' }
  const invited = await make('inviteMember', invitee, 'link')
  secrets['an invitation'] = String(invited.link).split('/').at(-1) ?? ''
  await people()
  await mistakes(data.credentials.apiKey)
  // Live events, while something happens that is sent to the receiver, too.
  const live = overWebSocket(guddesk)
  await until(async () => {
    await guddesk.newConversation(tenant, 'Hello')
    return live.events.length > 2
  })
  await live.stop()
  answers.push({ what: 'a subscription', text: JSON.stringify([live.events, live.errors]) })
  await ask('POST', '/graphql', {
    query: `mutation { sendTestEvent(input: { endpointId: "${endpointId}", type: PING }) { __typename } }`,
  })
  await receiver.waitFor(3)
}

/** Passwords, sessions, links. */
async function people(): Promise<void> {
  const { tenant } = guddesk
  await guddesk.setPassword(tenant, PASSWORD)
  const { email } = await guddesk.deps.db.prisma.user.findUniqueOrThrow({ where: { id: tenant.userId } })
  const path = '/api/auth/sign-in/email'
  const signedIn = await guddesk.call('POST', path, { email, password: PASSWORD }, { key: null })
  secrets['a session'] = signedIn.data.token
  const link = (await guddesk.people.makeLink(email)) ?? ''
  secrets['a sign-in link'] = link
  const newPassword = `another ${randomUUID()}`
  secrets['a new password'] = newPassword
  const change = 'mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { __typename } }'
  const input = { currentPassword: PASSWORD, newPassword }
  await askGraphql(change, { input }, { key: signedIn.data.token })
  await ask('POST', path, { email, password: `${newPassword}x` }, { key: null })
  // In the wrong field, as people do.
  await ask('POST', path, { email: newPassword, password: email }, { key: null })
  const open = (method: string) =>
    fetch(`${guddesk.origin}/api/auth/sign-in/link?token=${link}`, { method, redirect: 'manual' })
  answers.push({ what: "a link's page", text: await (await open('GET')).text() })
  await open('POST')
  const again = await open('POST')
  answers.push({ what: 'a link that was used', text: JSON.stringify(Object.fromEntries(again.headers)) })
}

/** What goes wrong with a secret in it: in a path, a body, a header, a query, a document, a variable. */
async function mistakes(agentKey: string): Promise<void> {
  const { key } = guddesk.tenant
  await ask('GET', `/api/v1/conversations/${agentKey}x`)
  await ask('POST', '/api/v1/customers', { email: key, name: 1 })
  await ask('GET', '/api/v1/customers', undefined, { headers: { 'x-api-key': key }, key: null })
  await ask('GET', `/api/v1/customers?cursor=${key}`)
  await ask('GET', `/api/v1/customers?workspaceId=${key}`)
  await ask('POST', '/api/v1/customers', undefined, { raw: `{"name": "${key}` })
  await askGraphql('query ($id: ID!) { node(id: $id) { id } }', { id: key })
  await ask('POST', '/graphql', { query: '{ viewer { actor { id } } }' }, { headers: { 'x-workspace-id': key } })
}

test('the run made what it should have', () => {
  expect(Object.keys(secrets)).toHaveLength(15)
  for (const [what, secret] of Object.entries(secrets)) expect([what, secret?.length > 20]).toEqual([what, true])
  expect(receiver.received.length).toBeGreaterThan(0)
  expect(answers.length).toBeGreaterThan(12)
})

test('no secret is in any answer but the one that makes it, and in nothing that is sent to receivers', () => {
  for (const { what, text } of answers) expectNone(text, what)
  for (const { headers, text } of receiver.received) expectNone(`${JSON.stringify(headers)} ${text}`, 'a webhook')
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
