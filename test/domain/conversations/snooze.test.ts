import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { reopenDueConversations } from '../../../src/domain/conversations/reopen-snoozed.ts'
import { statusChange } from '../../../src/domain/conversations/update-conversation.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { refuseRows } from '../../support/rows/refuse.ts'
import { until } from '../../support/until.ts'

const HOUR = 3_600_000

let guddesk: TestGudDesk
/** Without the dispatcher's role nothing reopens by itself. */
let still: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
  still = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})

afterAll(async () => {
  await guddesk?.stop()
  await still?.stop()
})

function patch(id: string, body: object, on = still) {
  return on.call('PATCH', `/api/v1/conversations/${id}`, body)
}

async function read(id: string, on = still) {
  return (await on.call('GET', `/api/v1/conversations/${id}`)).data
}

function inMs(ms: number, on = still): string {
  return new Date(on.clock.now().getTime() + ms).toISOString()
}

describe('statusChange', () => {
  const NOW = new Date('2026-01-15T10:00:00.000Z')
  const EARLIER = new Date('2026-01-14T10:00:00.000Z')
  const LATER = new Date('2026-01-16T10:00:00.000Z')
  const LATEST = new Date('2026-01-17T10:00:00.000Z')
  const open = { status: 'OPEN', closedAt: null, snoozedUntil: null } as const
  const closed = { status: 'CLOSED', closedAt: EARLIER, snoozedUntil: null } as const
  const snoozed = { status: 'SNOOZED', closedAt: null, snoozedUntil: LATER } as const
  const untilVisitor = { status: 'SNOOZED', closedAt: null, snoozedUntil: null } as const
  const closedNow = { ...closed, closedAt: NOW }

  test.each([
    ['nothing', open, {}, {}],
    ['nothing, closed', closed, {}, {}],
    ['opens what is open', open, { status: 'OPEN' }, open],
    ['closes what is open', open, { status: 'CLOSED' }, closedNow],
    ['closes what is snoozed', snoozed, { status: 'CLOSED' }, closedNow],
    ['keeps the closing time of what is closed', closed, { status: 'CLOSED' }, closed],
    ['opens what is closed', closed, { status: 'OPEN' }, open],
    ['opens what is snoozed', snoozed, { status: 'OPEN' }, open],
    ['snoozes until the visitor writes', open, { status: 'SNOOZED' }, untilVisitor],
    ['snoozes what is closed', closed, { status: 'SNOOZED' }, untilVisitor],
    ['snoozes until a time', open, { status: 'SNOOZED', snoozedUntil: LATER }, snoozed],
    ['a time alone snoozes', open, { snoozedUntil: LATER }, snoozed],
    ['a time alone snoozes what is closed', closed, { snoozedUntil: LATER }, snoozed],
    ['a time alone moves the snooze', snoozed, { snoozedUntil: LATEST }, { ...snoozed, snoozedUntil: LATEST }],
    ['keeps the time of what is snoozed', snoozed, { status: 'SNOOZED' }, snoozed],
    ['null takes the time away', snoozed, { snoozedUntil: null }, untilVisitor],
    ['null on what is open', open, { snoozedUntil: null }, open],
    ['null on what is closed', closed, { snoozedUntil: null }, closed],
    ['null with OPEN', snoozed, { status: 'OPEN', snoozedUntil: null }, open],
    ['null with CLOSED', snoozed, { status: 'CLOSED', snoozedUntil: null }, closedNow],
  ] as const)('%s', (_name, before, change, after) => {
    expect(statusChange(before, change, NOW)).toEqual(after)
  })

  test.each([
    ['a time with OPEN', { status: 'OPEN', snoozedUntil: LATER }, 'must be omitted when the status is OPEN'],
    ['a time with CLOSED', { status: 'CLOSED', snoozedUntil: LATER }, 'must be omitted when the status is CLOSED'],
    ['a time that is over', { snoozedUntil: EARLIER }, 'must be in the future'],
    ['this very moment', { status: 'SNOOZED', snoozedUntil: NOW }, 'must be in the future'],
  ] as const)('refuses %s', (_name, change, message) => {
    expect(() => statusChange(open, change, NOW)).toThrow(
      expect.objectContaining({ code: 'bad_request', fields: [{ path: 'snoozedUntil', message }] }),
    )
  })
})

describe('PATCH', () => {
  test('closing sets closedAt, closing again keeps it, any other status clears it', async () => {
    const id = await still.newConversation()
    const closed = await patch(id, { status: 'CLOSED' })
    expect(closed.data).toMatchObject({ status: 'CLOSED', snoozedUntil: null })
    expect(Math.abs(Date.parse(closed.data.closedAt) - still.clock.now().getTime())).toBeLessThan(10_000)
    expect((await patch(id, { status: 'CLOSED', subject: 'again' })).data.closedAt).toBe(closed.data.closedAt)
    expect((await patch(id, { status: 'SNOOZED' })).data).toMatchObject({ status: 'SNOOZED', closedAt: null })
    expect((await patch(id, { status: 'CLOSED' })).data.closedAt).not.toBeNull()
    expect((await patch(id, { status: 'OPEN' })).data).toMatchObject({ status: 'OPEN', closedAt: null })
    expect(await read(id)).toMatchObject({ status: 'OPEN', closedAt: null })
  })

  test('a time snoozes, with or without the status; another status takes it away', async () => {
    const id = await still.newConversation()
    const snoozedUntil = inMs(HOUR)
    expect((await patch(id, { snoozedUntil })).data).toMatchObject({ status: 'SNOOZED', snoozedUntil })
    expect((await patch(id, { status: 'OPEN' })).data).toMatchObject({ status: 'OPEN', snoozedUntil: null })
    expect((await patch(id, { status: 'SNOOZED', snoozedUntil })).data).toMatchObject({ snoozedUntil })
    expect((await patch(id, { snoozedUntil: null })).data).toMatchObject({ status: 'SNOOZED', snoozedUntil: null })
  })

  test.each([
    ['in the past', () => ({ snoozedUntil: inMs(-1000) })],
    ['with status OPEN', () => ({ status: 'OPEN', snoozedUntil: inMs(HOUR) })],
    ['with status CLOSED', () => ({ status: 'CLOSED', snoozedUntil: inMs(HOUR) })],
    ['without an offset', () => ({ snoozedUntil: '2099-01-15T10:30:00' })],
    ['that is no time', () => ({ snoozedUntil: 'tomorrow' })],
    ['that is a number', () => ({ snoozedUntil: 4_102_444_800_000 })],
  ])('refuses a time %s and changes nothing', async (_name, body) => {
    const id = await still.newConversation()
    const before = await read(id)
    const refused = await patch(id, { ...body(), subject: 'changed' })
    expect(refused.status).toBe(400)
    expect(refused.error).toMatchObject({ code: 'bad_request', status: 400 })
    expect(refused.error.fields?.map(({ path }) => path)).toEqual(['snoozedUntil'])
    expect(await read(id)).toEqual(before)
  })
})

describe('reopenDueConversations', () => {
  // Each test begins with nothing snoozed.
  afterEach(async () => {
    still.clock.advance(1000 * HOUR)
    while ((await reopenDueConversations(still.deps)) > 0);
  })

  test('reopens what is due, once, and nothing else', async () => {
    const [soon, later, untimed, closed] = await Promise.all([1, 2, 3, 4].map(() => still.newConversation()))
    await patch(String(soon), { snoozedUntil: inMs(HOUR) })
    await patch(String(later), { snoozedUntil: inMs(2 * HOUR) })
    await patch(String(untimed), { status: 'SNOOZED' })
    await patch(String(closed), { status: 'CLOSED' })
    expect(await reopenDueConversations(still.deps)).toBe(0)
    still.clock.advance(HOUR + 1000)
    expect(await reopenDueConversations(still.deps)).toBe(1)
    expect(await reopenDueConversations(still.deps)).toBe(0)
    expect(await read(String(soon))).toMatchObject({ status: 'OPEN', snoozedUntil: null, closedAt: null })
    expect(await read(String(later))).toMatchObject({ status: 'SNOOZED' })
    expect(await read(String(untimed))).toMatchObject({ status: 'SNOOZED', snoozedUntil: null })
    expect(await read(String(closed))).toMatchObject({ status: 'CLOSED' })
  })

  test('one that the database refuses keeps no other waiting, and is tried again', async () => {
    const [bad, ...others] = await Promise.all(Array.from({ length: 5 }, () => still.newConversation()))
    for (const id of [bad, ...others]) await patch(String(id), { snoozedUntil: inMs(HOUR) })
    const allow = await refuseRows(
      still.deps.db,
      'UPDATE',
      'conversations',
      `OLD.id = '${bad}' AND NEW.status = 'OPEN'`,
    )
    still.clock.advance(HOUR + 1000)
    const { rowsSetAside } = still.deps.counts
    expect(await reopenDueConversations(still.deps)).toBe(4)
    expect(await read(String(bad))).toMatchObject({ status: 'SNOOZED' })
    expect(still.deps.counts.rowsSetAside).toBe(rowsSetAside + 1)
    const line = still.logs.findLast(({ msg }) => msg === 'conversations not reopened')
    expect(line).toMatchObject({ conversationIds: [bad] })
    await allow()
    // Ten minutes later, by a timer that tests do not move.
    expect(await reopenDueConversations(still.deps)).toBe(0)
    await patch(String(bad), { status: 'OPEN' })
  })

  test('says in the event log that the system did it', async () => {
    const id = await still.newConversation()
    await patch(id, { snoozedUntil: inMs(HOUR) })
    still.clock.advance(HOUR)
    await reopenDueConversations(still.deps)
    const where = { conversationId: id, type: 'conversation.updated' }
    const events = await still.deps.db.prisma.event.findMany({ where, orderBy: { seq: 'desc' } })
    expect(JSON.parse(events[0]?.body ?? '{}')).toMatchObject({
      event: 'conversation.updated',
      data: {
        conversationId: id,
        changed: ['status', 'snoozedUntil'],
        workspaceId: still.tenant.workspaceId,
        actor: { type: 'system', id: 'system', name: 'GudDesk' },
      },
    })
  })

  test('takes all that is due, batch by batch, of every workspace', async () => {
    const other = await still.newTenant()
    const ids = [await still.newConversation(other), await still.newConversation()]
    const { workspaceId } = still.tenant
    const { visitor } = await read(String(ids[1]))
    const rest = { workspaceId, visitorId: visitor.id, lastActivityAt: still.clock.now() }
    for (const [i, id] of ids.entries()) {
      const at = { snoozedUntil: inMs(HOUR + i) }
      await still.call('PATCH', `/api/v1/conversations/${id}`, at, { key: i === 0 ? other.key : still.tenant.key })
    }
    const snooze = { status: 'SNOOZED', snoozedUntil: new Date(inMs(2 * HOUR)) } as const
    const many = Array.from({ length: 1000 }, (_, i) => ({ id: `conv_filler${i}`, ...rest, ...snooze }))
    await still.deps.db.prisma.conversation.createMany({ data: many })
    still.clock.advance(3 * HOUR)
    expect(await reopenDueConversations(still.deps)).toBe(1002)
    const found = await still.deps.db.prisma.conversation.findMany({ where: { id: { in: ids } } })
    expect(found.map(({ status }) => status)).toEqual(['OPEN', 'OPEN'])
    const recorded = await still.deps.db.prisma.event.count({
      where: { conversationId: { startsWith: 'conv_filler' } },
    })
    expect(recorded).toBe(1000)
    expect(await reopenDueConversations(still.deps)).toBe(0)
  })

  test('racing calls reopen each conversation once', async () => {
    const ids = await Promise.all([1, 2, 3, 4, 5].map(() => still.newConversation()))
    for (const id of ids) await patch(id, { snoozedUntil: inMs(HOUR) })
    still.clock.advance(HOUR)
    const counts = await Promise.all([1, 2, 3, 4].map(() => reopenDueConversations(still.deps)))
    expect(counts.reduce((a, b) => a + b)).toBe(5)
  })
})

test('a snoozed conversation reopens by itself in a running server', async () => {
  const id = await guddesk.newConversation()
  await patch(id, { snoozedUntil: inMs(HOUR, guddesk) }, guddesk)
  expect(await read(id, guddesk)).toMatchObject({ status: 'SNOOZED' })
  guddesk.advance(HOUR)
  await until(async () => (await read(id, guddesk)).status !== 'SNOOZED')
  expect(await read(id, guddesk)).toMatchObject({ status: 'OPEN', snoozedUntil: null })
})
