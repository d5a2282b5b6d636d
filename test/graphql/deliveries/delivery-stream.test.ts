import { describe, expect, test } from 'vitest'
import { quiet } from '../../support/event-log.ts'
import { graphql } from '../../support/graphql.ts'
import { answer, startReceiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'
import { type Live, overSse, overWebSocket, type Transport } from '../live.ts'
import {
  DELIVERIES,
  guddesk,
  NOTHING,
  receiver,
  register,
  sum,
  tenant,
  type Update,
  untilSumIs,
  useStreams,
} from './delivery-stream-steps.ts'

useStreams()

const say = (id: string, body: string) =>
  guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body, type: 'AGENT' }, { key: tenant.key })

const TRANSPORTS: [string, Transport][] = [
  ['graphql-ws', overWebSocket],
  ['server-sent events', overSse],
]

describe.each(TRANSPORTS)('deliveries over %s', (_name, transport) => {
  /** Live from the moment that it returns: its first update has come. */
  async function open(filter: object = {}, key = tenant.key): Promise<Live<Update>> {
    const live = transport<Update>(guddesk, { filter }, { query: DELIVERIES, key })
    await until(() => live.events.length > 0 || live.isEnded())
    return live
  }

  /** Waits until two looks have brought everything that was recorded before: what is new begins after one. */
  async function looked(): Promise<void> {
    await quiet(guddesk)
    for (let i = 0; i < 2; i++) await (await open()).stop()
  }

  test('begins empty, then counts what is made and what is delivered, and shows it', async () => {
    const endpointId = await register()
    const id = await guddesk.newConversation(tenant)
    const live = await open()
    expect(live.events).toMatchObject([{ ...NOTHING, newest: [], omitted: 0, durationP50Ms: null }])
    for (const body of ['one', 'two', 'three']) await say(id, body)
    await untilSumIs(live, { ...NOTHING, created: 3, delivered: 3 })
    await looked()
    await live.stop()
    expect(live.errors).toEqual([])
    expect(sum(live.events)).toEqual({ ...NOTHING, created: 3, delivered: 3 })
    const last = live.events.findLast(({ delivered }) => delivered > 0)
    expect(last?.durationP50Ms).toBeGreaterThanOrEqual(0)
    expect(last?.durationP95Ms).toBeGreaterThanOrEqual(last?.durationP50Ms ?? 0)
    const shown = {
      status: 'DELIVERED',
      eventType: 'MESSAGE_CREATED',
      conversationId: id,
      endpoint: { id: endpointId },
    }
    expect(last?.newest[0]).toMatchObject({ ...shown, attempts: [{ number: 1, statusCode: 200 }] })
    expect(Date.parse(last?.to ?? '')).toBeGreaterThanOrEqual(Date.parse(last?.from ?? ''))
  })

  test('tells retries, failures and what a disabled endpoint skips apart', async () => {
    const endpointId = await register()
    const id = await guddesk.newConversation(tenant)
    const live = await open()
    receiver.behave(answer(500))
    await say(id, 'fails')
    await until(() => sum(live.events)['retrying'] === 1)
    receiver.behave(answer(410))
    await say(id, 'is gone')
    await until(() => sum(live.events)['failed'] === 1)
    await until(async () => {
      const found = await guddesk.deps.db.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id: endpointId } })
      return !found.isEnabled
    })
    await say(id, 'is skipped')
    await untilSumIs(live, { created: 2, skipped: 1, delivered: 0, retrying: 1, failed: 1 })
    await live.stop()
  })

  test('endpointId, conversationId and statuses narrow it', async () => {
    const other = await startReceiver()
    const [first, second] = [await register(), await register({ url: other.url })]
    const [a, b] = [await guddesk.newConversation(tenant), await guddesk.newConversation(tenant)]
    const all = await open()
    const ofEndpoint = await open({ endpointId: second })
    const ofConversation = await open({ conversationId: b, endpointId: first })
    const failed = await open({ statuses: ['FAILED'] })
    for (const id of [a, a, b]) await say(id, 'hello')
    await untilSumIs(all, { ...NOTHING, created: 6, delivered: 6 })
    await untilSumIs(ofEndpoint, { ...NOTHING, created: 3, delivered: 3 })
    await untilSumIs(ofConversation, { ...NOTHING, created: 1, delivered: 1 })
    await looked()
    for (const live of [all, ofEndpoint, ofConversation, failed]) await live.stop()
    await other.close()
    expect(sum(all.events)).toEqual({ ...NOTHING, created: 6, delivered: 6 })
    expect(sum(ofEndpoint.events)).toEqual({ ...NOTHING, created: 3, delivered: 3 })
    expect(sum(ofConversation.events)).toEqual({ ...NOTHING, created: 1, delivered: 1 })
    expect(sum(failed.events)).toEqual(NOTHING)
    expect(new Set(ofEndpoint.events.flatMap(({ newest }) => newest.map(({ endpoint }) => endpoint.id)))).toEqual(
      new Set([second]),
    )
  })

  test('another workspace’s never arrive, and an agent sees its own endpoints’ alone', async () => {
    await register()
    const agentReceiver = await startReceiver()
    const install = { name: 'Bot', webhookUrl: agentReceiver.url, events: { onConversationCreated: false } }
    const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
    const stranger = await guddesk.newTenant()
    const id = await guddesk.newConversation(tenant)
    const all = await open()
    const own = await open({}, agent.credentials.apiKey)
    const theirs = await open({}, stranger.key)
    await say(id, 'hello')
    await until(() => sum(all.events)['delivered'] === 2)
    await untilSumIs(own, { ...NOTHING, created: 1, delivered: 1 })
    await looked()
    for (const live of [all, own, theirs]) await live.stop()
    await agentReceiver.close()
    expect(sum(all.events)).toMatchObject({ delivered: 2 })
    expect(sum(own.events)).toEqual({ ...NOTHING, created: 1, delivered: 1 })
    expect(sum(theirs.events)).toEqual(NOTHING)
  })

  test('ids that cannot be seen match nothing, as in the query', async () => {
    await register()
    const stranger = await guddesk.newTenant()
    const theirs = await register({}, stranger.key)
    const install = { name: 'Bot', webhookUrl: `${receiver.url}/bot` }
    const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: stranger.key })
    const conversation = await guddesk.newConversation(stranger)
    const all = await open()
    const silent = await Promise.all(
      [
        { endpointId: theirs },
        { endpointId: 'whk_00000000000000000000000000' },
        { endpointId: 'nonsense\u0001' },
        { agentId: agent.id },
        { conversationId: conversation },
      ].map((filter) => open(filter)),
    )
    await guddesk.call('POST', `/api/v1/conversations/${conversation}/messages`, { body: 'x' }, { key: stranger.key })
    await say(await guddesk.newConversation(tenant), 'hello')
    await untilSumIs(all, { ...NOTHING, created: 1, delivered: 1 })
    await looked()
    for (const live of [all, ...silent]) await live.stop()
    for (const live of silent) {
      expect(live.errors).toEqual([])
      expect(sum(live.events)).toEqual(NOTHING)
    }
  })

  test('a filter that the query refuses is refused at once', async () => {
    for (const filter of [
      { statuses: [] },
      { eventTypes: [] },
      { endpointId: 'nonsense\u0000' },
      { conversationId: 'x'.repeat(101) },
    ]) {
      const live = await open(filter)
      await live.stop()
      const query = graphql(`query ($filter: DeliveryFilter) { deliveries(filter: $filter) { totalCount } }`)
      const { body } = await guddesk.graphql(query, { filter }, { key: tenant.key })
      expect(body.errors).toMatchObject([{ extensions: { code: 'bad_request' } }])
      expect(live.events).toEqual([])
      expect(live.errors).toMatchObject([{ extensions: { code: 'bad_request' } }])
    }
  })

  test('is closed within a second when its key is revoked, and says why', async () => {
    const key = await guddesk.newKey(tenant, 'READ_ONLY')
    const live = await open({}, key)
    const where = { prefix: key.slice(0, 8) }
    await guddesk.deps.db.prisma.apiKey.updateMany({ where, data: { revokedAt: new Date() } })
    await until(() => live.isEnded(), 3000)
    await live.stop()
    expect(live.errors).toMatchObject([{ extensions: { code: 'unauthorized' } }])
  })
})
