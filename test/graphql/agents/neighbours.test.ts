import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isObjectType } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dataVisibleTo } from '../../../src/domain/events/event-data.ts'
import { inEventTransaction } from '../../../src/domain/events/event-lock.ts'
import type { LoggedEvent } from '../../../src/domain/events/event-position.ts'
import { recordEvent, SYSTEM } from '../../../src/domain/events/events.ts'
import { schema } from '../../../src/resolvers/index.ts'
import { installSecretive, type NeighbourRule, ok, SECRET } from '../../rest/objects.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'
import { type Event, type EventUpdate, TRANSPORTS } from '../live.ts'

// What an agent's key sees of another agent, and of endpoints that are not its own, field by field.

/** Of a field that holds something else for the agent itself: the value for its neighbours; of the others, that they see it. */
const AGENT_FIELDS: Record<string, NeighbourRule> = {
  id: 'shown',
  displayName: 'shown',
  name: 'shown',
  type: 'shown',
  isEnabled: 'shown',
  priority: 'shown',
  ignoreOwnEvents: 'shown',
  installedAt: 'shown',
  updatedAt: 'shown',
  description: { instead: null },
  config: { instead: {} },
  iconUrl: { instead: null },
  icon: { instead: null },
  creatorName: { instead: null },
  creatorUrl: { instead: null },
  webhookEndpoints: {
    instead: { totalCount: 0, edges: [] },
    select: 'webhookEndpoints(first: 5) { totalCount edges { node { id url } } }',
  },
  installer: { instead: null, select: 'installer { name hasLeft }' },
  conversations: { instead: null, select: 'conversations(first: 1) { totalCount nodes { id } }' },
  lastSeenAt: { instead: null },
  replyCount24h: { instead: null },
  successRate24h: { instead: null },
}

/** Of fields that need FULL_ACCESS, which no agent has: the value for all of them, the agent itself included. */
const FULL_ACCESS_FIELDS: Record<string, { readonly instead: unknown; readonly select: string }> = {
  apiKeys: { instead: null, select: 'apiKeys(first: 1) { totalCount nodes { prefix } }' },
}

const SINCE = '2026-01-15T10:00:00.000Z'
const UNTIL = '2026-01-20T10:00:00.000Z'

let guddesk: TestGudDesk
let secretive: Awaited<ReturnType<typeof installSecretive>>
let ownEndpointId: string
let workspacesEndpointId: string
let neighbour: string

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  secretive = await installSecretive(guddesk)
  const { as } = secretive.neighbour
  // As if it had been fetched: this process only serves the API.
  await guddesk.deps.db.sql("UPDATE pictures SET content_type = 'image/png', bytes = '', fetched_at = now()")
  const registered = await ok(guddesk.call('POST', '/api/agent/webhooks', { url: `http://127.0.0.1:9/own?${SECRET}` }))
  workspacesEndpointId = registered.data.endpoint.id
  neighbour = as.key ?? ''
  ownEndpointId = (await guddesk.call('GET', '/api/agent/webhooks', undefined, as)).data[0].id
  const conversationId = await guddesk.newConversation(guddesk.tenant, 'Hello')
  await ok(guddesk.call('POST', '/api/agent/reply', { conversationId, body: 'Hi' }, { key: secretive.key }))
  const { workspaceId } = guddesk.tenant
  await inEventTransaction(guddesk.deps, { workspaceId }, async (tx) => {
    for (const [endpointId, agentId] of [
      [secretive.endpointId, secretive.id],
      [workspacesEndpointId, null],
    ] as const) {
      const envelope = { workspaceId, conversationId: null, actor: SYSTEM, at: guddesk.clock.now() }
      const about = { endpointId, url: `http://127.0.0.1:9/?${SECRET}`, agentId, workspaceId }
      await recordEvent(tx, guddesk.deps.bus, {
        ...envelope,
        type: 'endpoint.disabled',
        data: { ...about, reason: 'gone' },
      })
      const failing = { ...about, failingSince: SINCE, disabledAt: UNTIL }
      await recordEvent(tx, guddesk.deps.bus, { ...envelope, type: 'endpoint.failing', data: failing })
    }
  })
})

afterAll(() => guddesk?.stop())

test('every field of an agent has a rule', () => {
  const type = schema.getType('Agent')
  expect(Object.keys({ ...AGENT_FIELDS, ...FULL_ACCESS_FIELDS }).sort()).toEqual(
    isObjectType(type) ? Object.keys(type.getFields()).sort() : 'no such type',
  )
})

/** Every way to an agent. */
const ROADS: Record<string, { query: string; pick: (data: never) => unknown }> = {
  node: { query: '{ node(id: $id) { ... on Agent { FIELDS } } }', pick: ({ node }: { node: unknown }) => node },
  nodes: {
    query: '{ nodes(ids: [$id]) { ... on Agent { FIELDS } } }',
    pick: ({ nodes }: { nodes: unknown[] }) => nodes[0],
  },
  agents: {
    query: '{ agents(first: 5) { edges { node { FIELDS } } } }',
    pick: ({ agents }: { agents: { edges: { node: { id: string } }[] } }) =>
      agents.edges.find(({ node }) => node.id === secretive.id)?.node,
  },
  'sender of a message': {
    query:
      '{ conversations(first: 1) { edges { node { messages(first: 5) { edges { node { sender { ... on Agent { FIELDS } } } } } } } } }',
    pick: ({ conversations }: { conversations: { edges: { node: { messages: { edges: Sent[] } } }[] } }) =>
      conversations.edges[0]?.node.messages.edges.at(-1)?.node.sender,
  },
}
interface Sent {
  readonly node: { readonly sender: unknown }
}

async function agentBy(road: string, key: string): Promise<Record<string, unknown>> {
  const { query = '', pick = () => undefined } = ROADS[road] ?? {}
  const fields = Object.entries(AGENT_FIELDS).map(([name, rule]) => (rule === 'shown' ? name : (rule.select ?? name)))
  const text = query.replace('FIELDS', `id ${fields.join(' ')}`).replace('$id', JSON.stringify(secretive.id))
  const { body } = await guddesk.graphql(text, {}, { key })
  expect(body.errors).toBeUndefined()
  return pick(body.data as never) as Record<string, unknown>
}

describe.each(Object.keys(ROADS))('an agent by %s', (road) => {
  test.each(Object.entries(AGENT_FIELDS))('%s', async (name, rule) => {
    const [own, seen] = [await agentBy(road, secretive.key), await agentBy(road, neighbour)]
    expect(await agentBy(road, guddesk.tenant.key)).toEqual(own)
    expect(own[name]).toBeDefined()
    if (rule === 'shown') return expect(seen[name]).toEqual(own[name])
    expect(seen[name]).toEqual(rule.instead)
    if (name !== 'successRate24h') expect(own[name]).not.toEqual(rule.instead)
  })
})

test('the key that wrote or changed something is an id and a name to an agent', async () => {
  const input = { conversationId: await guddesk.newConversation(guddesk.tenant, 'Hello'), body: 'Hi', type: 'NOTE' }
  const send = 'mutation ($input: SendMessageInput!) { sendMessage(input: $input) { message { id } } }'
  await guddesk.graphql(send, { input })
  const key = '{ __typename id displayName ... on ApiKey { prefix permission lastUsedAt } }'
  const query = `query ($id: ID!) { conversation(id: $id) {
    messages(last: 1) { edges { node { sender ${key} actor ${key} } } } events(last: 1) { edges { node { actor ${key} } } }
  } }`
  const read = async (reader: string) => {
    const { data } = await guddesk.graphql(query, { id: input.conversationId }, { key: reader })
    const [message, event] = [data.conversation.messages, data.conversation.events].map(({ edges }) => edges[0].node)
    return [message.sender, message.actor, event.actor]
  }
  const { id, prefix } = await guddesk.deps.db.prisma.apiKey.findFirstOrThrow({
    where: { id: (await guddesk.actorOf(guddesk.tenant.key)).id },
  })
  for (const seen of await read(guddesk.tenant.key)) expect(seen).toMatchObject({ __typename: 'ApiKey', id, prefix })
  for (const seen of await read(neighbour))
    expect(seen).toEqual({ __typename: 'UnavailableActor', id, displayName: expect.any(String) })
})

test.each(Object.entries(FULL_ACCESS_FIELDS))('%s is for FULL_ACCESS', async (name, { instead, select }) => {
  const query = `{ node(id: "${secretive.id}") { ... on Agent { ${select} } } }`
  const seenWith = async (key: string) => (await guddesk.graphql(query, {}, { key })).data.node[name]
  expect(await seenWith(secretive.key)).toEqual(instead)
  expect(await seenWith(neighbour)).toEqual(instead)
  expect(await seenWith(await guddesk.newKey(guddesk.tenant, 'READ_WRITE'))).toEqual(instead)
  const seen = await seenWith(guddesk.tenant.key)
  expect(seen).toEqual({ totalCount: 1, nodes: [{ prefix: secretive.key.slice(0, 8) }] })
})

test.each(['node', 'nodes'])('an endpoint by %s is there for its own agent only', async (field) => {
  for (const [id, key, isSeen] of [
    [secretive.endpointId, secretive.key, true],
    [secretive.endpointId, guddesk.tenant.key, true],
    [secretive.endpointId, neighbour, false],
    [workspacesEndpointId, guddesk.tenant.key, true],
    [workspacesEndpointId, neighbour, false],
    [ownEndpointId, neighbour, true],
  ] as const) {
    const select = '{ ... on WebhookEndpoint { id } }'
    const query = field === 'node' ? `{ node(id: "${id}") ${select} }` : `{ nodes(ids: ["${id}"]) ${select} }`
    const { data } = await guddesk.graphql(query, {}, { key })
    expect(field === 'node' ? data.node : data.nodes[0]).toEqual(isSeen ? { id } : null)
  }
})

describe('events about endpoints', () => {
  const TYPED = `id type payload
    ... on EndpointDisabledEvent { endpoint { id url } reason }
    ... on EndpointFailingEvent { endpoint { id url } failingSince disableAt }`
  const LIST = `{ events { edges { cursor node { ${TYPED} } } } }`
  const about = (endpointId: string, key: string) =>
    guddesk
      .graphql(LIST, {}, { key })
      .then(({ data }) => (data.events.edges as { node: Event }[]).map(({ node }) => node))
      .then((all) => all.filter(({ payload }) => payload['endpointId'] === endpointId))

  test('tell an agent where its own endpoints are, and of the others that something happened', async () => {
    const kept = { workspaceId: guddesk.tenant.workspaceId, actor: { ...SYSTEM } }
    for (const endpointId of [secretive.endpointId, workspacesEndpointId]) {
      const seen = await about(endpointId, neighbour)
      expect(seen.map(({ type }) => type)).toEqual(['ENDPOINT_DISABLED', 'ENDPOINT_FAILING'])
      for (const { payload } of seen) expect(payload).toEqual({ endpointId, ...kept })
      const all = await about(endpointId, guddesk.tenant.key)
      for (const { payload } of all) expect(JSON.stringify(payload)).toContain(SECRET)
    }
    for (const { payload } of await about(secretive.endpointId, secretive.key)) {
      expect(JSON.stringify(payload)).toContain(SECRET)
    }
  })

  test('say in typed fields what they say in the payload, and nothing more', async () => {
    const typed = async (endpointId: string, key: string) =>
      (await about(endpointId, key)).map(({ id: _id, type: _type, payload: _payload, ...fields }) => fields)
    const hidden = [
      { endpoint: null, reason: null },
      { endpoint: null, failingSince: null, disableAt: null },
    ]
    for (const [endpointId, keys] of [
      [secretive.endpointId, [guddesk.tenant.key, secretive.key]],
      [workspacesEndpointId, [guddesk.tenant.key]],
    ] as const) {
      expect(await typed(endpointId, neighbour)).toEqual(hidden)
      const endpoint = { id: endpointId, url: expect.stringContaining(SECRET) }
      const shown = [
        { endpoint, reason: 'GONE' },
        { endpoint, failingSince: SINCE, disableAt: UNTIL },
      ]
      for (const key of keys) expect(await typed(endpointId, key)).toEqual(shown)
    }
  })

  test('of a time when they did not name the agent are told to nobody’s key but the workspace’s', () => {
    const actor = { type: 'agent', id: secretive.id } as Parameters<typeof dataVisibleTo>[0]
    const data = { endpointId: secretive.endpointId, url: SECRET, workspaceId: 'ws', actor: SYSTEM }
    const event = { type: 'endpoint.disabled', body: JSON.stringify({ data }) } as LoggedEvent
    expect(JSON.stringify(dataVisibleTo(actor, event))).not.toContain(SECRET)
  })

  test.each(TRANSPORTS)('over %s, too', async (_name, subscribe) => {
    const { data } = await guddesk.graphql(LIST)
    const [first] = data.events.edges as EventUpdate[]
    const query = `subscription ($after: String) { events(after: $after) { cursor event { ${TYPED} } } }`
    const live = subscribe(guddesk, { after: first?.cursor }, { key: neighbour, query })
    await until(() => live.events.filter(({ event }) => event.type.startsWith('ENDPOINT_')).length === 4)
    expect(JSON.stringify(live.events)).not.toContain(SECRET)
    await live.stop()
  })
})

test('nothing that a neighbour reads over REST has a token', async () => {
  const seen = await Promise.all(
    ['/v1/agents', `/v1/agents/${secretive.id}`, '/agent/webhooks'].map((path) =>
      guddesk.call('GET', `/api${path}`, undefined, { key: neighbour }),
    ),
  )
  for (const { status, body } of seen) {
    expect(status).toBe(200)
    expect(JSON.stringify(body)).not.toContain(SECRET)
  }
})

test('docs/permissions.md has the same fields', () => {
  const page = readFileSync(fileURLToPath(new URL('../../../docs/permissions.md', import.meta.url)), 'utf8')
  const [, table = ''] = page.split(/<!-- \/?fields -->\n/)
  const cell = (rule: (typeof AGENT_FIELDS)[string]) => {
    return rule === 'shown' ? 'the value' : `\`${JSON.stringify(rule.instead)}\``
  }
  const rows = Object.entries({ ...AGENT_FIELDS, ...FULL_ACCESS_FIELDS }).map(
    ([name, rule]) => `| \`${name}\` | ${cell(rule)} |`,
  )
  expect(table.trim()).toBe(['| Field | Another agent sees |', '| --- | --- |', ...rows].join('\n'))
})
