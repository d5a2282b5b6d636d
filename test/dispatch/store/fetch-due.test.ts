import { beforeEach, describe, expect, test } from 'vitest'
import type { AttemptRecord, PendingDelivery } from '../../../src/dispatch/delivery.ts'
import { adopt, findWork, readEndpoints, releaseEndpoints } from '../../../src/dispatch/store/endpoints.ts'
import {
  fetchConversationHeads,
  fetchConversations,
  listPendingConversations,
} from '../../../src/dispatch/store/fetch-conversations.ts'
import { type FetchRequest, fetchDue } from '../../../src/dispatch/store/fetch-due.ts'
import { findProbeCandidates } from '../../../src/dispatch/store/probe-candidates.ts'
import { recordAttempts, stillPending } from '../../../src/dispatch/store/record-attempts.ts'
import { makeReplaysDue } from '../../../src/dispatch/store/replays.ts'
import { drainRemovals } from '../../../src/domain/maintenance/drain-removals.ts'
import type { Tenant } from '../../support/guddesk.ts'
import { connection, guddesk, joinAlone, ME, useApiNode } from '../api-node.ts'

let tenant: Tenant
let endpointId: string

useApiNode()
beforeEach(async () => {
  await guddesk.deps.db.prisma.webhookEndpoint.deleteMany()
  await joinAlone()
  tenant = await guddesk.newTenant()
  endpointId = await register()
})

async function register(url = 'http://127.0.0.1:9/webhook'): Promise<string> {
  const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url }, { key: tenant.key })
  return data.endpoint.id
}

const want = (options: Partial<FetchRequest> = {}): FetchRequest => ({
  endpointId,
  firstAttempts: 100,
  retries: 100,
  replays: 100,
  prefetched: [],
  firstAttemptsAfter: '0',
  holdBack: 'due',
  retriesFrom: new Date(0),
  ...options,
})
const read = (options?: Partial<FetchRequest>) => fetchDue(connection, [want(options)], guddesk.clock.now())
/** Without what is only noticed. */
const free = async (options?: Partial<FetchRequest>) => (await read(options)).filter(({ isDeferred }) => !isDeferred)
const types = (delivery: readonly PendingDelivery[]) => delivery.map(({ type }) => type)
const row = (id: string) =>
  guddesk.deps.db.prisma.delivery.findUniqueOrThrow({ where: { id }, include: { attemptLog: true } })
const change = (id: string, data: object) => guddesk.deps.db.prisma.delivery.update({ where: { id }, data })

async function say(conversationId: string, ...bodies: string[]): Promise<void> {
  const path = `/api/v1/conversations/${conversationId}/messages`
  for (const body of bodies) await guddesk.call('POST', path, { body, type: 'AGENT' }, { key: tenant.key })
}

async function only(): Promise<PendingDelivery> {
  const [first, ...others] = await read()
  if (first === undefined || others.length > 0) throw new Error('one delivery was expected')
  return first
}

function delivered({ id, attempts }: PendingDelivery, changes: Partial<AttemptRecord> = {}): AttemptRecord {
  const startedAt = guddesk.clock.now()
  const answer = {
    statusCode: 200,
    response: 'ok',
    error: null,
    isResent: false,
    status: 'DELIVERED',
    nextAttemptAt: null,
  } as const
  return { id, number: attempts + 1, startedAt, durationMs: 1, ...answer, ...changes }
}
const settleNow = (records: AttemptRecord[], who = ME) => recordAttempts(connection, who, records, guddesk.clock.now())

describe('claiming', () => {
  test('first attempts come in the order of their events, and what is prefetched does not come again', async () => {
    const id = await guddesk.newConversation(tenant, 'one')
    await say(id, 'two', 'three')
    const all = await read()
    expect(types(all)).toEqual(['conversation.created', 'message.created', 'message.created', 'message.created'])
    expect(all.map(({ seq }) => Number(seq))).toEqual(all.map(({ seq }) => Number(seq)).sort((a, b) => a - b))
    expect((await read({ firstAttempts: 2 })).map(({ id }) => id)).toEqual(all.slice(0, 2).map(({ id }) => id))
    const prefetched = all.slice(0, 2).map(({ seq }) => seq)
    expect((await read({ prefetched, firstAttempts: 1 })).map(({ id }) => id)).toEqual([all[2]?.id])
  })

  test('retries come when they are due, the longest waiting first', async () => {
    await guddesk.newConversation(tenant)
    await guddesk.newConversation(tenant)
    const [first, second] = await read()
    const at = (seconds: number) => new Date(guddesk.clock.now().getTime() + 1000 * seconds)
    await change(first?.id ?? '', { attempts: 1, nextAttemptAt: at(20) })
    await change(second?.id ?? '', { attempts: 3, nextAttemptAt: at(10) })
    expect(await read()).toEqual([])
    guddesk.clock.advance(10_000)
    expect(await read()).toMatchObject([{ id: second?.id, attempts: 3 }])
    guddesk.clock.advance(10_000)
    expect((await read()).map(({ id }) => id)).toEqual([second?.id, first?.id])
  })

  test('a clock that was set back keeps no first attempt waiting', async () => {
    await guddesk.newConversation(tenant)
    const { id } = await only()
    await change(id, { nextAttemptAt: new Date('2100-01-01') })
    expect(await read()).toMatchObject([{ id }])
  })

  test('replays are read only when they are asked for', async () => {
    await guddesk.newConversation(tenant)
    const { id } = await only()
    await change(id, { priority: 1 })
    expect(await read({ replays: 0 })).toEqual([])
    expect(await read({ firstAttempts: 0, retries: 0 })).toMatchObject([{ id, priority: 'replay' }])
    await change(id, { attempts: 8 })
    expect(await read({ replays: 0 })).toEqual([])
    expect(await read({ firstAttempts: 0, retries: 0 })).toMatchObject([{ id, priority: 'replay', attempts: 8 }])
  })

  test('with STRICT ordering an event waits while one before it is retried, through five attempts', async () => {
    const { prisma } = guddesk.deps.db
    const conversationId = await guddesk.newConversation(tenant, 'one')
    const [created] = await read()
    await change(created?.id ?? '', { attempts: 4, nextAttemptAt: new Date('2100-01-01') })
    expect(types(await read())).toEqual(['message.created'])
    await prisma.webhookEndpoint.update({ where: { id: endpointId }, data: { ordering: 'STRICT' } })
    expect(await read()).toMatchObject([{ isDeferred: true, conversationId, attempts: 0, body: '' }])
    const other = await guddesk.newConversation(tenant)
    expect((await free()).map((delivery) => delivery.conversationId)).toEqual([other])
    await change(created?.id ?? '', { attempts: 5 })
    expect((await free()).map((delivery) => delivery.conversationId)).toEqual([conversationId, other])
  })

  test('a first attempt waits behind a retry that is due, and, when that is wanted, behind any', async () => {
    const conversationId = await guddesk.newConversation(tenant, 'one')
    const [created, message] = await read()
    await change(created?.id ?? '', { attempts: 1, nextAttemptAt: new Date('2100-01-01') })
    expect((await free()).map(({ id }) => id)).toEqual([message?.id])
    expect(await free({ holdBack: 'retries' })).toEqual([])
    await change(created?.id ?? '', { nextAttemptAt: guddesk.clock.now() })
    expect((await read()).map(({ id, isDeferred }) => [id, isDeferred])).toEqual([
      [message?.id, true],
      [created?.id, true],
    ])
    const wanted = { endpointId, conversationId, after: '0', limit: 10 }
    expect((await fetchConversations(connection, [wanted])).map(({ id }) => id)).toEqual([created?.id, message?.id])
    const after = { ...wanted, after: created?.seq ?? '' }
    expect((await fetchConversations(connection, [after])).map(({ id }) => id)).toEqual([message?.id])
    expect(await fetchConversations(connection, [{ ...wanted, conversationId: 'conv_other' }])).toEqual([])
  })

  test('a receiver is tried with the first that waits in a conversation, or with what was asked for', async () => {
    const [first, second] = [await guddesk.newConversation(tenant), await guddesk.newConversation(tenant, 'one')]
    const [a, b, c] = await read()
    for (const delivery of [a, b, c])
      await change(delivery?.id ?? '', { attempts: 1, nextAttemptAt: new Date('2100-01-01') })
    await change(c?.id ?? '', { nextAttemptAt: new Date('2099-01-01') })
    const ids = async (named: string | null) =>
      (await findProbeCandidates(connection, endpointId, named, true)).map(({ id }) => id)
    expect([a?.conversationId, b?.conversationId, c?.conversationId]).toEqual([first, second, second])
    expect(await ids(null)).toEqual([a?.id, b?.id])
    const named = await findProbeCandidates(connection, endpointId, c?.id ?? '', true)
    expect(named.filter(({ isRequested }) => isRequested).map(({ id }) => id)).toEqual([b?.id, c?.id])
    await change(b?.id ?? '', { attempts: 0 })
    expect((await findProbeCandidates(connection, endpointId, null, false)).map(({ id }) => id)).toEqual([a?.id, b?.id])
    for (const delivery of [a, b, c]) await change(delivery?.id ?? '', { priority: 1 })
    expect(await ids(null)).toEqual([b?.id])
    expect(await findProbeCandidates(connection, 'whk_other', a?.id ?? '', true)).toEqual([])
    const found = await listPendingConversations(connection, endpointId, '', 10)
    expect(found.ids).toEqual([])
    await change(a?.id ?? '', { priority: 0 })
    expect(await listPendingConversations(connection, endpointId, '', 10)).toMatchObject({
      ids: [first],
      end: { conversationId: first },
    })
    expect(await makeReplaysDue(connection, endpointId, guddesk.clock.now())).toBe(1)
  })

  test('disabled endpoints and agents keep what waits for them; tests go there', async () => {
    await guddesk.newConversation(tenant)
    await guddesk.newConversation(tenant)
    const [first] = await read()
    await change(first?.id ?? '', { isTest: true })
    const { prisma } = guddesk.deps.db
    await prisma.webhookEndpoint.update({ where: { id: endpointId }, data: { isEnabled: false } })
    expect(await read()).toMatchObject([{ id: first?.id, isTest: true }])
    await prisma.webhookEndpoint.update({ where: { id: endpointId }, data: { isEnabled: true } })
    expect(await read()).toHaveLength(2)
  })

  test('every change of an endpoint changes its version', async () => {
    await guddesk.newConversation(tenant)
    const { version } = await only()
    await guddesk.deps.db.prisma.webhookEndpoint.update({
      where: { id: endpointId },
      data: { url: 'http://127.0.0.1:9/b' },
    })
    expect((await only()).version).not.toBe(version)
  })

  test('the first unsent events of other conversations are found without walking through one', async () => {
    const conversations = await Promise.all(Array.from({ length: 3 }, () => guddesk.newConversation(tenant)))
    for (const id of conversations) await say(id, 'one', 'two')
    const heads = (after: string) =>
      fetchConversationHeads(connection, endpointId, { after, limit: 2, holdBack: 'due' }, guddesk.clock.now())
    const first = await heads('')
    const second = await heads(first.last)
    expect(types([...first.heads, ...second.heads])).toEqual(Array(3).fill('conversation.created'))
    expect(second.last).toBe('')
    const found = [...first.heads, ...second.heads].map(({ conversationId }) => conversationId)
    expect(found).toEqual([...conversations].sort())
  })
})

describe('finding and taking endpoints', () => {
  test('an endpoint is found while something is due for it', async () => {
    const found = async () => (await findWork(connection, guddesk.clock.now())).map(({ id }) => id)
    expect(await found()).toEqual([])
    await guddesk.newConversation(tenant)
    expect(await found()).toEqual([endpointId])
    const { id } = await only()
    await change(id, { attempts: 1, nextAttemptAt: new Date(guddesk.clock.now().getTime() + 1000) })
    expect(await found()).toEqual([])
    guddesk.clock.advance(1000)
    expect(await found()).toEqual([endpointId])
    await guddesk.deps.db.prisma.webhookEndpoint.update({ where: { id: endpointId }, data: { isEnabled: false } })
    expect(await found()).toEqual([])
    await change(id, { isTest: true })
    expect(await found()).toEqual([endpointId])
  })

  test('it belongs to one dispatcher at a time, until that gives it back or is counted as gone', async () => {
    const { prisma } = guddesk.deps.db
    await prisma.dispatcher.create({ data: { id: 'other' } })
    const has = async (who: string) => (await readEndpoints(connection, who, [endpointId])).length === 1
    await adopt(connection, ME, [endpointId])
    await adopt(connection, 'other', [endpointId])
    expect([await has(ME), await has('other')]).toEqual([true, false])
    await releaseEndpoints(connection, 'other', [endpointId])
    expect(await has(ME)).toBe(true)
    await releaseEndpoints(connection, ME, [endpointId])
    await adopt(connection, 'other', [endpointId])
    expect(await has('other')).toBe(true)
    await prisma.dispatcher.delete({ where: { id: 'other' } })
    await expect(adopt(connection, 'other', [endpointId])).rejects.toThrow(/foreign key/)
    await adopt(connection, ME, [endpointId])
    expect(await has(ME)).toBe(true)
  })
})

describe('settling', () => {
  test('a result is recorded once, with its attempt', async () => {
    await guddesk.newConversation(tenant)
    const delivery = await only()
    expect(await settleNow([delivered(delivery)])).toEqual({ isMember: true, ids: null })
    expect(await row(delivery.id)).toMatchObject({ status: 'DELIVERED', attempts: 1, nextAttemptAt: null })
    // An answer of the database that was lost.
    expect(await settleNow([delivered(delivery)])).toEqual({ isMember: true, ids: [] })
    expect(await stillPending(connection, [delivered(delivery)])).toEqual(new Set())
    expect((await row(delivery.id)).attemptLog).toMatchObject([{ number: 1, statusCode: 200, response: 'ok' }])
  })

  test('a dispatcher that was counted as gone records nothing', async () => {
    await guddesk.newConversation(tenant)
    const delivery = await only()
    expect(await settleNow([delivered(delivery)], 'gone')).toEqual({ isMember: false, ids: [] })
    expect(await row(delivery.id)).toMatchObject({ status: 'PENDING', attempts: 0, attemptLog: [] })
  })

  test('the second attempt of a delivery does not count as its first', async () => {
    await guddesk.newConversation(tenant)
    const delivery = await only()
    const nextAttemptAt = guddesk.clock.now()
    await settleNow([delivered(delivery, { statusCode: 500, status: 'PENDING', nextAttemptAt })])
    expect(await settleNow([delivered(delivery)])).toMatchObject({ ids: [] })
    const again = await only()
    expect(again.attempts).toBe(1)
    expect(await settleNow([delivered(again)])).toMatchObject({ ids: null })
    expect((await row(delivery.id)).attemptLog.map(({ number }) => number)).toEqual([1, 2])
  })

  test('what was deleted meanwhile is passed over', async () => {
    await guddesk.newConversation(tenant)
    const delivery = await only()
    await guddesk.deps.db.prisma.webhookEndpoint.delete({ where: { id: endpointId } })
    expect(await read()).toEqual([])
    await drainRemovals(guddesk.deps)
    expect(await settleNow([delivered(delivery)])).toEqual({ isMember: true, ids: [] })
    expect(await stillPending(connection, [delivered(delivery)])).toEqual(new Set())
  })
})
