import { isInterfaceType } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type EventType, WEBHOOK_EVENT_TYPES } from '../../../src/domain/events/events.ts'
import { schema } from '../../../src/resolvers/index.ts'
import { quiet } from '../../support/event-log.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import {
  DISABLE_AT,
  EVENT_TYPES,
  type EveryEvent,
  everyEvent,
  FAILING_SINCE,
  objectTypeOf,
} from '../../support/rows/every-event.ts'
import { statementsOf } from '../../support/statements.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})

afterAll(() => guddesk?.stop())

/** A workspace with one event of every type. */
interface World extends EveryEvent {
  readonly tenant: Tenant
  readonly endpointId: string
  readonly memberId: string
  /** Of the API key that made them. */
  readonly keyId: string
}

async function register({ key }: Tenant): Promise<string> {
  const url = 'http://127.0.0.1:9/typed'
  const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url }, { key })
  return data.endpoint.id
}

async function newWorld(): Promise<World> {
  const tenant = await guddesk.newTenant()
  const { memberId } = await guddesk.newMember(tenant, 'Mia Member')
  const endpointId = await register(tenant)
  const key = await guddesk.newKey(tenant, 'FULL_ACCESS')
  const { id: keyId } = await guddesk.deps.db.prisma.apiKey.findFirstOrThrow({ where: { prefix: key.slice(0, 8) } })
  const endpoint = { id: endpointId, agentId: null }
  const made = await everyEvent(guddesk, { ...tenant, key }, { endpoint, memberId })
  await quiet(guddesk)
  return { ...made, tenant, endpointId, memberId, keyId }
}

// biome-ignore lint/suspicious/noExplicitAny: payloads of every shape
type Payload = any

/** What only events of a type have; and, of its values, what they are by the payload, as long as everything is there. */
const TYPED: {
  readonly [Type in EventType]: { readonly select: string; readonly values: (payload: Payload) => object }
} = {
  'message.created': {
    select: 'message { id type body sequence sender { __typename id } }',
    values: ({ messageId: id, type, body, sequence }) => ({
      message: { id, type, body, sequence, sender: { __typename: 'Visitor', id: expect.any(String) } },
    }),
  },
  'note.created': {
    select: 'message { id type body sequence }',
    values: ({ messageId: id, sequence }) => ({ message: { id, type: 'NOTE', body: 'psst', sequence } }),
  },
  'conversation.created': {
    select: 'visitor { id name } firstMessage',
    values: ({ visitorId: id, firstMessage }) => ({ visitor: { id, name: 'Vera Visitor' }, firstMessage }),
  },
  'conversation.updated': {
    select: 'changedFields',
    values: ({ changed }) => ({ changedFields: changed }),
  },
  'conversation.assigned': {
    select: 'assignee { id name } assigneeName assignedBy { __typename id displayName }',
    values: ({ assigneeId, assigneeName, assignedBy, assignedByName }) => ({
      assignee: { id: assigneeId, name: assigneeName },
      assigneeName,
      assignedBy: { __typename: 'ApiKey', id: assignedBy, displayName: assignedByName },
    }),
  },
  'conversation.closed': {
    select: 'closedBy { __typename id displayName } closedAt',
    values: ({ closedBy, closedByName, closedAt }) => ({
      closedBy: { __typename: 'ApiKey', id: closedBy, displayName: closedByName },
      closedAt,
    }),
  },
  'visitor.updated': {
    select: 'visitor { id email } changedFields',
    values: ({ visitorId: id, changed }) => ({ visitor: { id, email: 'vera@example.com' }, changedFields: changed }),
  },
  ping: { select: '__typename', values: () => ({}) },
  'endpoint.disabled': {
    select: 'endpoint { id url } reason',
    values: ({ endpointId: id, reason }) => ({
      endpoint: { id, url: 'http://127.0.0.1:9/typed' },
      reason: reason.toUpperCase(),
    }),
  },
  'endpoint.failing': {
    select: 'endpoint { id } failingSince disableAt',
    values: ({ endpointId: id, failingSince, disabledAt }) => ({
      endpoint: { id },
      failingSince,
      disableAt: disabledAt,
    }),
  },
}

/** The names of the fields that are selected of a type, at the top. */
const LINKS = ['message', 'visitor', 'assignee', 'endpoint']
const ACTORS = ['actor', 'closedBy', 'assignedBy']

const COMMON = '__typename id type isTest createdAt actor { __typename id displayName } conversation { id } payload'
const SELECTION = `${COMMON} ${EVENT_TYPES.map((type) => `... on ${objectTypeOf(type)} { ${TYPED[type].select} }`).join(' ')}`

/** Who an event says that it was, while they are there. */
const actorOf = ({ actor: { type, id, name } }: Payload) => ({
  __typename: type === 'system' ? 'SystemActor' : 'ApiKey',
  id,
  displayName: name,
})

/** All events of a workspace, test events included. */
async function eventsOf({ key }: Pick<Tenant, 'key'>): Promise<Payload[]> {
  const query = `{ events(filter: { includeTests: true }) { edges { node { ${SELECTION} } } } }`
  const { body } = await guddesk.graphql(query, {}, { key })
  expect(body.errors).toBeUndefined()
  return body.data.events.edges.map(({ node }: { node: Payload }) => node)
}

test('every type of event has an object type, of the interface Event', () => {
  const event = schema.getType('Event')
  const types = isInterfaceType(event) ? schema.getPossibleTypes(event).map(({ name }) => name) : []
  expect(types.sort()).toEqual(EVENT_TYPES.map(objectTypeOf).sort())
})

describe('with everything there', () => {
  let world: World
  let events: Payload[]

  beforeAll(async () => {
    world = await newWorld()
    events = await eventsOf(world.tenant)
  })

  test.each(EVENT_TYPES)('%s has its fields, which agree with the payload', async (type) => {
    const { ids, conversationId } = world
    const event = events.find(({ id }) => id === ids[type])
    const isOfConversation = event.payload.conversationId !== undefined
    expect(event).toMatchObject({
      __typename: objectTypeOf(type),
      type: type.toUpperCase().replace('.', '_'),
      isTest: type === 'ping',
      actor: actorOf(event.payload),
      conversation: isOfConversation ? { id: conversationId } : null,
      ...TYPED[type].values(event.payload),
    })
    const { data } = await guddesk.graphql(
      `{ node(id: "${ids[type]}") { ... on Event { ${SELECTION} } } }`,
      {},
      world.tenant,
    )
    expect(data.node).toEqual(event)
  })

  test('what only the event says is what was recorded', () => {
    const of = (type: EventType) => events.find(({ id }) => id === world.ids[type])
    expect(of('endpoint.disabled')).toMatchObject({ reason: 'GONE' })
    expect(of('endpoint.failing')).toMatchObject({ failingSince: FAILING_SINCE, disableAt: DISABLE_AT })
    expect(of('conversation.closed').closedAt).toBe(of('conversation.closed').createdAt)
    expect(of('conversation.updated').changedFields.toSorted()).toEqual(['assigneeId', 'closedAt', 'status'])
    expect(of('conversation.created').firstMessage).toBe('hello')
    expect(of('visitor.updated').changedFields).toEqual(['email'])
    expect(of('conversation.assigned').assigneeName).toBe('Mia Member')
  })

  test('a query that comes again and again, and is compiled, keeps its answer', async () => {
    for (let i = 0; i < 8; i++) expect(await eventsOf(world.tenant)).toEqual(events)
  })

  test('another workspace’s event is null, whatever is asked of it', async () => {
    const { key } = await guddesk.newTenant()
    for (const id of Object.values(world.ids)) {
      const { data } = await guddesk.graphql(`{ node(id: "${id}") { ... on Event { ${SELECTION} } } }`, {}, { key })
      expect(data.node).toBeNull()
    }
  })
})

test('what an event names may be gone: the links are null, actors keep their names, and the rest stays', async () => {
  const { tenant, endpointId, memberId, conversationId, keyId } = await newWorld()
  const before = await eventsOf(tenant)
  const { prisma } = guddesk.deps.db
  const { visitorId } = await prisma.conversation.delete({ where: { id: conversationId } })
  await prisma.visitor.delete({ where: { id: visitorId } })
  const removed = await guddesk.graphql(
    `mutation {
      removeMember(input: { memberId: "${memberId}" }) { error { code } }
      deleteWebhookEndpoint(input: { endpointId: "${endpointId}" }) { error { code } } }`,
    {},
    { key: await guddesk.newSession(tenant), headers: { 'x-workspace-id': tenant.workspaceId } },
  )
  expect(removed.data).toEqual({ removeMember: { error: null }, deleteWebhookEndpoint: { error: null } })
  await prisma.apiKey.delete({ where: { id: keyId } })
  const after = await eventsOf(tenant)
  const links = (event: Payload) => Object.keys(event).filter((name) => LINKS.includes(name))
  const unavailable = ([name, actor]: [string, Payload]) => [
    name,
    actor.id === keyId ? { ...actor, __typename: 'UnavailableActor', displayName: 'FULL_ACCESS key' } : actor,
  ]
  expect(after.length).toBe(before.length)
  expect(after.filter(({ actor }) => actor.__typename === 'UnavailableActor').length).toBeGreaterThan(5)
  expect(new Set(after.flatMap(links))).toEqual(new Set(LINKS))
  for (const [i, event] of after.entries()) {
    const gone = Object.fromEntries(['conversation', ...links(event)].map((name) => [name, null]))
    const actors = Object.entries(before[i]).filter(([name]) => ACTORS.includes(name))
    expect(event).toEqual({ ...before[i], ...gone, ...Object.fromEntries(actors.map(unavailable)) })
  }
})

test('a test event names nothing, and nothing is read for it', async () => {
  const { tenant, endpointId } = await newWorld()
  await guddesk.deps.db.prisma.event.deleteMany({ where: { workspaceId: tenant.workspaceId } })
  for (const type of WEBHOOK_EVENT_TYPES) {
    const input = { endpointId, type: type.toUpperCase().replace('.', '_') }
    const send = 'mutation ($input: SendTestEventInput!) { sendTestEvent(input: $input) { error { code } } }'
    expect((await guddesk.graphql(send, { input }, tenant)).data).toEqual({ sendTestEvent: { error: null } })
  }
  await quiet(guddesk)
  const events = await eventsOf(tenant)
  expect(events.map(({ type }) => type)).toEqual(
    WEBHOOK_EVENT_TYPES.map((type) => type.toUpperCase().replace('.', '_')),
  )
  for (const event of events) {
    expect(event).toMatchObject({ isTest: true, conversation: null, payload: expect.anything() })
    const { displayName } = event.actor
    expect(displayName).toBe(event.payload.actor.name)
    for (const link of LINKS) expect(event[link] ?? null).toBeNull()
  }
  const of = async (select: string) => {
    const query = `{ events(filter: { includeTests: true }) { edges { node { ${select} } } } }`
    return (await statementsOf(guddesk, () => guddesk.graphql(query, {}, tenant))).length
  }
  const withoutActors = SELECTION.replaceAll(/(actor|closedBy|assignedBy) \{[^}]*\}/g, '')
  expect(await of(withoutActors)).toBe(await of('id'))
})
