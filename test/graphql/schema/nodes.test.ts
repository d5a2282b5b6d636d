import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'

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
  'Event',
]

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
  const { id: eventId } = await guddesk.deps.db.prisma.event.findFirstOrThrow({ where: { conversationId } })
  const objects = {
    Event: eventId,
    Delivery: deliveryId,
    Conversation: conversationId,
    Message: message.id,
    Visitor: visitor.id,
  }
  const installed = { Agent: agent.id, WebhookEndpoint: agent.webhookEndpoint.id, ApiKey: keyId }
  return { Workspace: workspaceId, Member: memberId, AuditEntry: auditEntryId, ...texts, ...objects, ...installed }
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
  expect(data.__type.possibleTypes.map(({ name }: { name: string }) => name).sort()).toEqual([...TYPES].sort())
})

const MALFORMED: [string, string][] = [
  ['nothing', ''],
  ['a letter', 'x'],
  ['a prefix alone', 'conv_'],
  ['a prefix in capitals', 'CONV_01jy0000000000000000000000'],
  ['an unknown prefix', 'abc_01jy0000000000000000000000'],
  ['a type that is no node', 'usr_01jy0000000000000000000000'],
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
    const own = TYPES.map((type) => String(mine[type]))
    const ids = own.flatMap((id, i) => [id, String(theirs[String(TYPES[i])]), '', unknown(id), id])
    const expected = own.flatMap((id, i) => {
      const found = { __typename: TYPES[i], id }
      return [found, null, null, null, found]
    })
    expect(await nodes(ids)).toEqual({ data: { nodes: expected } })
    expect(await nodes(ids.toReversed())).toEqual({ data: { nodes: expected.toReversed() } })
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

test.each(['READ_ONLY', 'READ_WRITE'] as const)('an ApiKey or AuditEntry is null for a %s key', async (permission) => {
  const key = await guddesk.newKey(guddesk.tenant, permission)
  expect(await node(String(mine['AuditEntry']), key)).toEqual({ data: { node: null } })
  expect(await node(String(mine['ApiKey']), key)).toEqual({ data: { node: null } })
  expect(await nodes([String(mine['ApiKey']), String(mine['Member'])], key)).toEqual({
    data: { nodes: [null, { __typename: 'Member', id: mine['Member'] }] },
  })
  expect(await node(String(mine['Agent']), key)).toMatchObject({ data: { node: { id: mine['Agent'] } } })
})

test('nodes show what they hold, and relations stay in the workspace', async () => {
  const query = graphql(`query ($ids: [ID!]!) { nodes(ids: $ids) { __typename
    ... on Workspace { members { id email } }
    ... on Member { name role }
    ... on Visitor { visitorName: name metadata }
    ... on Conversation { visitor { id } assignee { id } messages(first: 1) { edges { node { id body } } } }
    ... on Message { conversationId sequence sender { id } }
    ... on Agent { isEnabled type webhookEndpoints { id url } }
    ... on WebhookEndpoint { url agentId events lastSuccessAt }
    ... on ApiKey { prefix permission agentId revokedAt }
    ... on Delivery { deliveredType: eventType endpoint { id } }
    ... on AuditEntry { action targetId }
    ... on Article { title body collection { id } }
    ... on Collection { collectionName: name }
    ... on Event { eventType: type conversation { id } }
  } }`)
  const { data, body } = await guddesk.graphql(query, { ids: TYPES.map((type) => mine[type]) })
  expect(body.errors).toBeUndefined()
  const url = 'http://127.0.0.1:9/nodes'
  const message = { node: { id: mine['Message'], body: 'hello' } }
  const webhook = { agentId: mine['Agent'], events: ['MESSAGE_CREATED', 'CONVERSATION_CREATED'] }
  expect(data.nodes).toEqual([
    { __typename: 'Workspace', members: [{ id: mine['Member'], email: 'owner@localhost' }] },
    { __typename: 'Member', name: 'Owner', role: 'OWNER' },
    { __typename: 'Visitor', visitorName: 'Vera Visitor', metadata: {} },
    { __typename: 'Conversation', visitor: { id: mine['Visitor'] }, assignee: null, messages: { edges: [message] } },
    { __typename: 'Message', conversationId: mine['Conversation'], sequence: 1, sender: { id: mine['Visitor'] } },
    { __typename: 'Agent', isEnabled: true, type: 'CUSTOM', webhookEndpoints: [{ id: mine['WebhookEndpoint'], url }] },
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
    { __typename: 'Event', eventType: 'CONVERSATION_CREATED', conversation: { id: mine['Conversation'] } },
  ])
})
