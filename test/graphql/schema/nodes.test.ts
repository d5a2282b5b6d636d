import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { EVENT_TYPES, everyEvent, objectTypeOf } from '../../support/rows/every-event.ts'

let guddesk: TestGudDesk
let mine: Record<string, string>
let theirs: Record<string, string>
let other: Tenant

beforeAll(async () => {
  guddesk = await startGudDesk()
  other = await guddesk.newTenant()
  mine = await oneOfEach(guddesk.tenant)
  theirs = await oneOfEach(other)
})

afterAll(async () => {
  await guddesk?.stop()
})

const TYPES = [
  'Workspace',
  'Member',
  'Visitor',
  'Conversation',
  'Message',
  'Agent',
  'WebhookEndpoint',
  'ApiKey',
  'Delivery',
  'AuditEntry',
  'Article',
  'Collection',
  'User',
  'Invitation',
  ...EVENT_TYPES.map(objectTypeOf),
]

/** Those that only a session sees, besides. */
const OF_SESSIONS = ['Session']

/** Ids of one object of every type in a workspace. */
async function oneOfEach(tenant: Tenant): Promise<Record<string, string>> {
  const { key, workspaceId, memberId } = tenant
  const get = async (path: string) => (await guddesk.call('GET', path, undefined, { key })).data
  const conversationId = await guddesk.newConversation(tenant, 'hello')
  const { visitor } = await get(`/api/v1/conversations/${conversationId}`)
  const [message] = await get(`/api/v1/conversations/${conversationId}/messages`)
  const bot = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/nodes' }
  const { data: agent } = await guddesk.call('POST', '/api/v1/agents', bot, { key })
  const { id: keyId } = await guddesk.deps.db.prisma.apiKey.findFirstOrThrow({ where: { workspaceId, agentId: null } })
  // What happens now is delivered to the agent.
  await guddesk.newConversation(tenant)
  const { id: deliveryId } = await guddesk.deps.db.prisma.delivery.findFirstOrThrow({ where: { workspaceId } })
  const { id: auditEntryId } = await guddesk.deps.db.prisma.auditEntry.findFirstOrThrow({
    where: { workspaceId, action: 'agent.installed' },
  })
  const make = async (field: string, input: object) => {
    const type = `Create${field}Input!`
    const query = `mutation ($input: ${type}) { made: create${field}(input: $input) { ... on Create${field}Payload { object: ${field.toLowerCase()} { id } } } }`
    return (await guddesk.graphql(query, { input }, { key })).data.made.object.id
  }
  const collectionId = await make('Collection', { name: 'Money' })
  const articleId = await make('Article', { title: 'Refunds', body: 'Ask us.', collectionId })
  const texts = { Article: articleId, Collection: collectionId }
  const objects = {
    Delivery: deliveryId,
    Conversation: conversationId,
    Message: message.id,
    Visitor: visitor.id,
  }
  const installed = { Agent: agent.id, WebhookEndpoint: agent.webhookEndpoint.id, ApiKey: keyId }
  const invited = 'mutation { inviteMember(input: { email: "i@example.com", role: VIEWER }) { invitation { id } } }'
  const { inviteMember } = (await guddesk.graphql(invited, {}, { key })).data
  const people = { User: tenant.userId, Invitation: inviteMember.invitation.id }
  const endpoint = { id: agent.webhookEndpoint.id, agentId: agent.id }
  const { ids } = await everyEvent(guddesk, tenant, { endpoint })
  const events = Object.fromEntries(EVENT_TYPES.map((type) => [objectTypeOf(type), ids[type]]))
  const others = { ...people, ...texts, ...objects, ...installed, ...events }
  return { Workspace: workspaceId, Member: memberId, AuditEntry: auditEntryId, ...others }
}

async function node(id: string, key = guddesk.tenant.key) {
  const { body } = await guddesk.graphql(
    graphql(`query ($id: ID!) { node(id: $id) { __typename id } }`),
    { id },
    { key },
  )
  return { ...body, extensions: undefined }
}

async function nodes(ids: string[], key = guddesk.tenant.key) {
  const query = graphql(`query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }`)
  const { body } = await guddesk.graphql(query, { ids }, { key })
  return { ...body, extensions: undefined }
}

/** An id of the same type that nothing has. */
const unknown = (id = '') => `${id.split('_')[0]}_01jy0000000000000000000000`

describe.each(TYPES)('%s', (type) => {
  test('is found by its own id', async () => {
    expect(await node(String(mine[type]))).toEqual({ data: { node: { __typename: type, id: mine[type] } } })
    expect(await node(String(theirs[type]), other.key)).toEqual({
      data: { node: { __typename: type, id: theirs[type] } },
    })
  })

  test('of another workspace is null, as an unknown one is', async () => {
    expect(await node(String(theirs[type]))).toEqual({ data: { node: null } })
    expect(await node(String(mine[type]), other.key)).toEqual({ data: { node: null } })
    expect(await node(unknown(mine[type]))).toEqual({ data: { node: null } })
  })
})

test('every type that implements Node is tested here', async () => {
  const { data } = await guddesk.graphql(graphql(`{ __type(name: "Node") { possibleTypes { name } } }`))
  const names = data.__type.possibleTypes.map(({ name }: { name: string }) => name)
  expect(names.sort()).toEqual([...TYPES, ...OF_SESSIONS].sort())
})

const MALFORMED: [string, string][] = [
  ['nothing', ''],
  ['a letter', 'x'],
  ['a prefix alone', 'conv_'],
  ['a prefix in capitals', 'CONV_01jy0000000000000000000000'],
  ['an unknown prefix', 'abc_01jy0000000000000000000000'],
  ['a type that is no node', 'acc_01jy0000000000000000000000'],
  ['an event', 'evt_01jy0000000000000000000000'],
  ['a property of objects', 'constructor'],
  ['U+0000', '\u0000'],
  ['U+0000 in an id', 'conv_01jy000000000000000000000\u0000'],
  ['an id and a line break', 'conv_01jy0000000000000000000000\n'],
  ['a lone surrogate', '\ud800'],
  ['one character too many', 'conv_01jy00000000000000000000000'],
  ['a very long text', 'conv_'.repeat(100_000)],
]

test.each(MALFORMED)('%s as an id is null', async (_name, id) => {
  expect(await node(id)).toEqual({ data: { node: null } })
  expect(await nodes([id, String(mine['Member'])])).toMatchObject({ data: { nodes: [null, { id: mine['Member'] }] } })
})

test('numbers are ids too, of nothing', async () => {
  const { body } = await guddesk.graphql(graphql(`{ node(id: 1) { id } nodes(ids: [1, 2]) { id } }`))
  expect({ ...body, extensions: undefined }).toEqual({ data: { node: null, nodes: [null, null] } })
})

describe('nodes', () => {
  test('keeps positions, with every type, unknown ones, others’ and repetitions mixed', async () => {
    // At most 100 ids at once.
    for (const types of [TYPES.slice(0, 11), TYPES.slice(11)]) {
      const own = types.map((type) => String(mine[type]))
      const ids = own.flatMap((id, i) => [id, String(theirs[String(types[i])]), '', unknown(id), id])
      const expected = own.flatMap((id, i) => {
        const found = { __typename: types[i], id }
        return [found, null, null, null, found]
      })
      expect(await nodes(ids)).toEqual({ data: { nodes: expected } })
      expect(await nodes(ids.toReversed())).toEqual({ data: { nodes: expected.toReversed() } })
    }
  })

  test('of no ids is empty', async () => {
    expect(await nodes([])).toEqual({ data: { nodes: [] } })
  })

  test('finds many objects of one type, in the order of the ids', async () => {
    const ids: string[] = []
    for (let i = 0; i < 20; i++) ids.splice((i * 7) % (i + 1), 0, await guddesk.newVisitor(guddesk.tenant, `no. ${i}`))
    const { data } = await nodes(ids)
    expect(data.nodes.map(({ id }: { id: string }) => id)).toEqual(ids)
  })
})

test.each(['READ_ONLY', 'READ_WRITE'] as const)(
  'an ApiKey, AuditEntry or Invitation is null for a %s key',
  async (permission) => {
    const key = await guddesk.newKey(guddesk.tenant, permission)
    expect(await node(String(mine['AuditEntry']), key)).toEqual({ data: { node: null } })
    expect(await node(String(mine['ApiKey']), key)).toEqual({ data: { node: null } })
    expect(await node(String(mine['Invitation']), key)).toEqual({ data: { node: null } })
    expect(await nodes([String(mine['ApiKey']), String(mine['Member'])], key)).toEqual({
      data: { nodes: [null, { __typename: 'Member', id: mine['Member'] }] },
    })
    expect(await node(String(mine['Agent']), key)).toMatchObject({ data: { node: { id: mine['Agent'] } } })
  },
)

test('nodes show what they hold, and relations stay in the workspace', async () => {
  const query = graphql(`query ($ids: [ID!]!) { nodes(ids: $ids) { __typename
    ... on Workspace { members { edges { node { id email } } } }
    ... on Member { name role }
    ... on Visitor { visitorName: name metadata }
    ... on Conversation { visitor { id } assignee { id } messages(first: 1) { edges { node { id body } } } }
    ... on Message { conversationId sequence sender { id } }
    ... on Agent { isEnabled type webhookEndpoints(first: 2) { edges { node { id url } } } }
    ... on WebhookEndpoint { url agentId events lastSuccessAt }
    ... on ApiKey { prefix permission agentId revokedAt }
    ... on Delivery { deliveredType: eventType endpoint { id } }
    ... on AuditEntry { action targetId }
    ... on Article { title body collection { id } }
    ... on Collection { collectionName: name }
    ... on Event { eventType: type }
    ... on User { userName: name email hasPassword mayResetPassword }
    ... on Invitation { invitedEmail: email }
  } }`)
  const { data, body } = await guddesk.graphql(query, { ids: TYPES.map((type) => mine[type]) })
  expect(body.errors).toBeUndefined()
  const url = 'http://127.0.0.1:9/nodes'
  const member = { node: { id: mine['Member'], email: 'owner@localhost' } }
  const endpoint = { node: { id: mine['WebhookEndpoint'], url } }
  const message = { node: { id: mine['Message'], body: 'hello' } }
  const webhook = { agentId: mine['Agent'], events: ['MESSAGE_CREATED', 'CONVERSATION_CREATED'] }
  expect(data.nodes).toEqual([
    { __typename: 'Workspace', members: { edges: [member] } },
    { __typename: 'Member', name: 'Owner', role: 'OWNER' },
    { __typename: 'Visitor', visitorName: 'Vera Visitor', metadata: {} },
    { __typename: 'Conversation', visitor: { id: mine['Visitor'] }, assignee: null, messages: { edges: [message] } },
    { __typename: 'Message', conversationId: mine['Conversation'], sequence: 1, sender: { id: mine['Visitor'] } },
    { __typename: 'Agent', isEnabled: true, type: 'CUSTOM', webhookEndpoints: { edges: [endpoint] } },
    { __typename: 'WebhookEndpoint', url, ...webhook, lastSuccessAt: null },
    {
      __typename: 'ApiKey',
      prefix: guddesk.tenant.key.slice(0, 8),
      permission: 'FULL_ACCESS',
      agentId: null,
      revokedAt: null,
    },
    { __typename: 'Delivery', deliveredType: 'CONVERSATION_CREATED', endpoint: { id: mine['WebhookEndpoint'] } },
    { __typename: 'AuditEntry', action: 'AGENT_INSTALLED', targetId: mine['Agent'] },
    { __typename: 'Article', title: 'Refunds', body: 'Ask us.', collection: { id: mine['Collection'] } },
    { __typename: 'Collection', collectionName: 'Money' },
    { __typename: 'User', userName: 'Owner', email: 'owner@localhost', hasPassword: null, mayResetPassword: null },
    { __typename: 'Invitation', invitedEmail: 'i@example.com' },
    ...EVENT_TYPES.map((type) => ({
      __typename: objectTypeOf(type),
      eventType: type.toUpperCase().replace('.', '_'),
    })),
  ])
})

describe('people', () => {
  const PERSON = graphql(`query ($id: ID!) { node(id: $id) { id ... on User { name hasPassword mayResetPassword } } }`)
  const person = async (id: string, key = guddesk.tenant.key) => (await guddesk.query(PERSON, { id }, { key })).node

  test('are seen by whoever is in the workspace with them, without what is their own business', async () => {
    const { userId } = await guddesk.newMember(guddesk.tenant, 'Mia')
    const mia = { id: userId, name: 'Mia', hasPassword: null, mayResetPassword: null }
    expect(await person(userId)).toEqual(mia)
    expect(await person(userId, other.key)).toBeNull()
    const own = await guddesk.newKey({ ...guddesk.tenant, userId }, 'READ_ONLY')
    expect(await person(userId, own)).toEqual(mia)
    await guddesk.deps.db.prisma.member.deleteMany({ where: { userId } })
    expect(await person(userId)).toBeNull()
  })

  test('an agent sees them, and is none of them', async () => {
    const bot = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/people' }
    const { data } = await guddesk.call('POST', '/api/v1/agents', bot)
    const { userId } = guddesk.tenant
    const seen = { id: userId, name: 'Owner', hasPassword: null, mayResetPassword: null }
    expect(await person(userId, data.credentials.apiKey)).toEqual(seen)
  })
})

test('a session is seen with a session of the same person only', async () => {
  const { prisma } = guddesk.deps.db
  const [own, foreign] = [await guddesk.newSession(guddesk.tenant), await guddesk.newSession(other)]
  const headers = { 'x-workspace-id': guddesk.tenant.workspaceId }
  const SESSION = graphql(`query ($id: ID!) { node(id: $id) { id ... on Session { isCurrent } } }`)
  const idOf = async (userId: string) => (await prisma.session.findFirstOrThrow({ where: { userId } })).id
  const id = await idOf(guddesk.tenant.userId)
  const seenWith = async (key: string, asked = id) =>
    (await guddesk.query(SESSION, { id: asked }, { key, headers })).node
  expect(await seenWith(own)).toEqual({ id, isCurrent: true })
  expect(await seenWith(guddesk.tenant.key)).toBeNull()
  expect(await seenWith(own, await idOf(other.userId))).toBeNull()
  expect(foreign).not.toBe(own)
  await prisma.session.update({ where: { id }, data: { expiresAt: new Date(0) } })
  const another = await guddesk.newSession(guddesk.tenant)
  expect(await seenWith(another)).toBeNull()
})
