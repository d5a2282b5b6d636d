import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { quiet, START } from '../../support/event-log.ts'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { answer, type Receiver, startReceiver } from '../../support/receiver.ts'
import { everyEvent } from '../../support/rows/every-event.ts'
import { quietPeriod, until } from '../../support/until.ts'
import { type EventUpdate, type Live, overWebSocket } from '../live.ts'

// A filter means the same in a query and in a subscription.

let guddesk: TestGudDesk
let receiver: Receiver
let failing: Receiver
let tenant: Tenant

beforeAll(async () => {
  guddesk = await startGudDesk()
  receiver = await startReceiver()
  failing = await startReceiver()
  failing.behave(answer(500))
})

afterAll(async () => {
  await guddesk?.stop()
  await receiver?.close()
  await failing?.close()
})

beforeEach(async () => {
  tenant = await guddesk.newTenant()
})

describe('events', () => {
  const LIST = graphql(`query ($filter: EventFilter, $after: String) {
    events(filter: $filter, after: $after, first: 100) { pageInfo { endCursor } edges { cursor node { id } } } }`)

  async function listed(filter: object, after: string | null = null) {
    const { body } = await guddesk.graphql(LIST, { filter, after }, { key: tenant.key })
    expect(body.errors).toBeUndefined()
    const { edges, pageInfo } = body.data.events as {
      edges: { cursor: string; node: { id: string } }[]
      pageInfo: { endCursor: string | null }
    }
    return { edges, ids: edges.map(({ node }) => node.id), endCursor: pageInfo.endCursor }
  }

  const follow = (filter: object, after: string | null = START) =>
    overWebSocket<EventUpdate>(guddesk, { filter, after }, { key: tenant.key })
  const idsOf = (live: Live<EventUpdate>) => live.events.map(({ event }) => event.id)

  /** Two conversations, and everything that can befall an endpoint. */
  async function happen(): Promise<string> {
    const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url: receiver.url }, { key: tenant.key })
    const endpoint = { id: data.endpoint.id, agentId: null }
    const { conversationId } = await everyEvent(guddesk, tenant, { endpoint })
    await guddesk.newConversation(tenant, 'another')
    return conversationId
  }

  test('a subscription sends what the query lists, live and resumed, for each filter', async () => {
    const conversationId = await happen()
    const filters = [
      {},
      { types: [] },
      { types: ['NOTE_CREATED', 'ENDPOINT_FAILING'] },
      { types: ['PING'] },
      { types: ['PING'], includeTests: true },
      { includeTests: true },
      { conversationId },
      { conversationId, types: ['CONVERSATION_CLOSED', 'CONVERSATION_CREATED'] },
      { conversationId: 'conv_00000000000000000000000000' },
    ]
    await quiet(guddesk)
    const early = await Promise.all(filters.map((filter) => listed(filter)))
    // What has happened comes by resuming, the rest live.
    const live = filters.map((filter) => follow(filter))
    await until(() => live.every((each, i) => idsOf(each).length >= (early[i]?.ids.length ?? 0)))
    await everyEvent(guddesk, tenant, { endpoint: { id: await endpointId(), agentId: null } })
    await guddesk.call(
      'POST',
      `/api/v1/conversations/${conversationId}/messages`,
      { body: 'x', type: 'NOTE' },
      { key: tenant.key },
    )
    await quiet(guddesk)
    const late = await Promise.all(filters.map((filter) => listed(filter)))
    await until(() => live.every((each, i) => idsOf(each).length >= (late[i]?.ids.length ?? 0)))
    await quietPeriod(200)
    for (const [i, each] of live.entries()) {
      await each.stop()
      expect([filters[i], each.errors, idsOf(each)]).toEqual([filters[i], [], late[i]?.ids])
    }
    expect(late.map(({ ids }) => ids.length > 0)).toEqual([true, false, true, false, true, true, true, true, false])
    expect(late.some(({ ids }, i) => ids.length > (early[i]?.ids.length ?? 0))).toBe(true)
  })

  const endpointId = async () =>
    (await guddesk.deps.db.prisma.webhookEndpoint.findFirstOrThrow({ where: { workspaceId: tenant.workspaceId } })).id

  test('edges, pages and updates have the same cursors; each resumes both the query and the subscription', async () => {
    const conversationId = await happen()
    await quiet(guddesk)
    const { edges, ids, endCursor } = await listed({})
    const live = follow({})
    await until(() => live.events.length >= ids.length)
    await live.stop()
    expect(live.events.map(({ cursor, event }) => [cursor, event.id])).toEqual(
      edges.map(({ cursor, node }) => [cursor, node.id]),
    )
    expect(endCursor).toBe(live.events.at(-1)?.cursor)
    const ofConversation = graphql(`query ($id: ID!) {
      conversation(id: $id) { events { pageInfo { endCursor } edges { cursor node { id } } } } }`)
    const { conversation } = await guddesk.query(ofConversation, { id: conversationId }, { key: tenant.key })
    for (const { cursor, node } of conversation.events?.edges ?? []) {
      expect(edges.find((edge) => edge.node.id === node.id)?.cursor).toBe(cursor)
    }
    expect(conversation.events?.edges.length).toBeGreaterThan(3)
    for (const at of [0, 3, ids.length - 2]) {
      const after = edges[at]?.cursor ?? ''
      expect((await listed({}, after)).ids).toEqual(ids.slice(at + 1))
      const resumed = follow({}, after)
      await until(() => resumed.events.length >= ids.length - at - 1)
      await quietPeriod(100)
      await resumed.stop()
      expect(idsOf(resumed)).toEqual(ids.slice(at + 1))
    }
    const next = follow({}, endCursor)
    const fresh = await guddesk.newConversation(tenant)
    await until(() => next.events.length > 0)
    await next.stop()
    expect(next.events.map(({ event }) => [event.type, event.conversation?.id])).toEqual([
      ['CONVERSATION_CREATED', fresh],
    ])
  })
})

describe('deliveries', () => {
  const LIST = graphql(`query ($filter: DeliveryFilter) {
    deliveries(filter: $filter, first: 100) { totalCount edges { node { id } } } }`)
  const FOLLOW = graphql(`subscription ($filter: DeliveryFilter) {
    deliveries(filter: $filter) { created skipped delivered retrying failed newest { id } } }`)

  interface Progress {
    readonly newest: readonly { readonly id: string }[]
  }

  async function listed(filter: object, key = tenant.key): Promise<string[]> {
    const { body } = await guddesk.graphql(LIST, { filter }, { key })
    expect(body.errors).toBeUndefined()
    return body.data.deliveries.edges.map(({ node }: { node: { id: string } }) => node.id).sort()
  }

  /** Live from the moment that it returns. */
  async function follow(filter: object, key = tenant.key): Promise<Live<Progress>> {
    const live = overWebSocket<Progress>(guddesk, { filter }, { key, query: FOLLOW })
    await until(() => live.events.length > 0 || live.isEnded())
    return live
  }

  const told = (live: Live<Progress>) =>
    [...new Set(live.events.flatMap(({ newest }) => newest.map(({ id }) => id)))].sort()

  async function register(url: string, key = tenant.key): Promise<string> {
    const events = { onMessageCreated: true, onConversationCreated: true, onConversationClosed: true }
    const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url, events }, { key })
    return data.endpoint.id
  }

  test('a subscription tells of what the query lists, for each filter', async () => {
    const [good, bad, off] = [
      await register(receiver.url),
      await register(failing.url),
      await register(`${receiver.url}/off`),
    ]
    await guddesk.deps.db.prisma.webhookEndpoint.update({ where: { id: off }, data: { isEnabled: false } })
    const install = { name: 'Bot', webhookUrl: `${receiver.url}/bot` }
    const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
    const first = await guddesk.newConversation(tenant)
    await quiet(guddesk)
    const settled = async () => {
      // What fails is retried later, and held back once its breaker is open.
      const where = { workspaceId: tenant.workspaceId, endpointId: { not: bad } }
      return (await guddesk.deps.db.prisma.delivery.count({ where: { ...where, status: 'PENDING' } })) === 0
    }
    await until(settled)
    const before = await listed({})
    guddesk.advance(1000)
    const opened = guddesk.clock.now().toISOString()
    const middle = new Date(guddesk.clock.now().getTime() + 60_000).toISOString()
    const since = { createdAt: { from: opened } }
    const filters: Record<string, object> = {
      all: {},
      pending: { statuses: ['PENDING'], endpointId: bad },
      delivered: { statuses: ['DELIVERED'] },
      'delivered or skipped': { statuses: ['DELIVERED', 'SKIPPED'] },
      failed: { statuses: ['FAILED'] },
      endpoint: { endpointId: good },
      agent: { agentId: agent.id },
      'event types': { eventTypes: ['MESSAGE_CREATED', 'CONVERSATION_CLOSED'] },
      conversation: { conversationId: first },
      tests: { isTest: true },
      'no tests': { isTest: false },
      from: { createdAt: { from: middle } },
      to: { createdAt: { to: middle } },
      'from and to': { createdAt: { from: opened, to: middle } },
      'all at once': {
        statuses: ['DELIVERED'],
        endpointId: good,
        eventTypes: ['MESSAGE_CREATED'],
        conversationId: first,
        isTest: false,
        createdAt: { from: middle },
      },
    }
    const live = new Map<string, Live<Progress>>()
    for (const [name, filter] of Object.entries(filters)) live.set(name, await follow(filter))
    const own = await follow({}, agent.credentials.apiKey)

    const say = (body: string) =>
      guddesk.call('POST', `/api/v1/conversations/${first}/messages`, { body, type: 'AGENT' }, { key: tenant.key })
    await say('one')
    const test = 'mutation ($input: SendTestEventInput!) { sendTestEvent(input: $input) { error { code } } }'
    await guddesk.graphql(test, { input: { endpointId: good, type: 'PING' } }, { key: tenant.key })
    await until(settled)
    guddesk.advance(61_000)
    await say('two')
    await guddesk.call('PATCH', `/api/v1/conversations/${first}`, { status: 'CLOSED' }, { key: tenant.key })
    await guddesk.newConversation(tenant, 'three')
    await quiet(guddesk)
    await until(settled)

    /** What happened before is told of only if something happens to it again. */
    const known = (ids: string[]) => ids.filter((id) => !before.includes(id))
    for (const [name, each] of live) {
      const expected = known(await listed(filters[name] ?? {}))
      await until(
        () => known(told(each)).join() === expected.join(),
        10_000,
        () => `${name}: ${known(told(each))} came, not ${expected}`,
      )
    }
    await until(async () => known(told(own)).join() === known(await listed({}, agent.credentials.apiKey)).join())
    await quietPeriod(600)
    for (const [name, each] of live) {
      await each.stop()
      expect([name, each.errors, known(told(each))]).toEqual([name, [], known(await listed(filters[name] ?? {}))])
    }
    await own.stop()
    expect(known(told(own))).toEqual(await listed({ agentId: agent.id, ...since }))
    const sizes = await Promise.all(Object.values(filters).map(async (filter) => known(await listed(filter)).length))
    const all = sizes[0] ?? 0
    // Each condition lets some through and holds some back; nothing has failed for good.
    for (const [i, name] of Object.keys(filters).entries()) {
      if (name === 'failed') expect(sizes[i]).toBe(0)
      else if (name !== 'all') expect([name, (sizes[i] ?? 0) > 0 && (sizes[i] ?? 0) < all]).toEqual([name, true])
    }
  })
})
