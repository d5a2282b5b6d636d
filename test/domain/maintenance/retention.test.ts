import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { removeOld } from '../../../src/domain/maintenance/retention.ts'
import { quiet } from '../../support/event-log.ts'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { refuseRows } from '../../support/rows/refuse.ts'

let guddesk: TestGudDesk
let tenant: Tenant
const DAY = 86_400_000
const KEPT = { deliveriesDays: 30, eventsDays: 90 }

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})
afterAll(() => guddesk?.stop())
beforeEach(async () => {
  tenant = await guddesk.newTenant()
})

const remove = () => removeOld(guddesk.deps, KEPT)
const ofTenant = () => ({ where: { workspaceId: tenant.workspaceId } })
const deliveries = () => guddesk.deps.db.prisma.delivery.count(ofTenant())
const events = () => guddesk.deps.db.prisma.event.count(ofTenant())

async function register(): Promise<string> {
  const body = { url: 'http://127.0.0.1:9/webhook' }
  const { data } = await guddesk.call('POST', '/api/agent/webhooks', body, { key: tenant.key })
  return data.endpoint.id
}

async function finishAll(): Promise<void> {
  const data = { status: 'DELIVERED', nextAttemptAt: null, attempts: 1, finishedAt: guddesk.clock.now() } as const
  await guddesk.deps.db.prisma.delivery.updateMany({ ...ofTenant(), data })
  const [delivery] = await guddesk.deps.db.prisma.delivery.findMany(ofTenant())
  const attempt = { number: 1, startedAt: guddesk.clock.now(), durationMs: 1 }
  await guddesk.deps.db.prisma.deliveryAttempt.create({ data: { ...attempt, deliveryId: delivery?.id ?? '' } })
}

async function log(after: string | null): Promise<{ cursors: string[]; code: string | undefined; message: string }> {
  const query = graphql(`query($after: String) { events(first: 100, after: $after) { edges { cursor } } }`)
  const { body } = await guddesk.graphql(query, { after }, { key: tenant.key })
  const cursors = (body.data?.events?.edges ?? []).map(({ cursor }: { cursor: string }) => cursor)
  const [error] = body.errors ?? []
  return { cursors, code: error?.extensions.code, message: error?.message ?? '' }
}

test('finished deliveries go after 30 days with their attempts, events after 90', async () => {
  await register()
  await guddesk.newConversation(tenant)
  await finishAll()
  guddesk.clock.advance(29 * DAY)
  await remove()
  expect([await deliveries(), await events()]).toEqual([1, 1])
  guddesk.clock.advance(2 * DAY)
  await guddesk.newConversation(tenant)
  await remove()
  expect([await deliveries(), await events()]).toEqual([1, 2])
  expect(await guddesk.deps.db.prisma.deliveryAttempt.count({ where: { delivery: ofTenant().where } })).toBe(0)
  guddesk.clock.advance(60 * DAY)
  await remove()
  // The second one's delivery still waits.
  expect([await deliveries(), await events()]).toEqual([1, 1])
})

test('what waits for an attempt stays with its event, however old, and so does what finished lately', async () => {
  await register()
  await guddesk.newConversation(tenant)
  guddesk.clock.advance(200 * DAY)
  await remove()
  expect([await deliveries(), await events()]).toEqual([1, 1])
  await finishAll()
  await remove()
  expect([await deliveries(), await events()]).toEqual([1, 1])
  guddesk.clock.advance(31 * DAY)
  await remove()
  expect([await deliveries(), await events()]).toEqual([0, 0])
})

test('more than one batch goes, past what must stay', async () => {
  const endpointId = await register()
  await guddesk.newConversation(tenant)
  const { workspaceId } = tenant
  await guddesk.deps.db.sql(
    `INSERT INTO events (id, workspace_id, type, body, created_at)
     SELECT 'evt_' || $1 || i, $1, 'ping', '{}', $2 FROM generate_series(1, 1200) i`,
    [workspaceId, guddesk.clock.now()],
  )
  await guddesk.deps.db.sql(
    `INSERT INTO deliveries (id, workspace_id, event_id, endpoint_id, seq, status, finished_at, created_at)
     SELECT 'dlv_' || id, workspace_id, id, $2, seq, 'DELIVERED', created_at, created_at
       FROM events WHERE workspace_id = $1 AND type = 'ping'`,
    [workspaceId, endpointId],
  )
  guddesk.clock.advance(100 * DAY)
  await remove()
  expect([await deliveries(), await events()]).toEqual([1, 1])
})

test('a cursor older than the kept log is refused with what to do; the log begins where it is kept', async () => {
  await guddesk.newConversation(tenant, 'one')
  await quiet(guddesk)
  const before = await log(null)
  expect(before.cursors).toHaveLength(2)
  guddesk.clock.advance(91 * DAY)
  await guddesk.newConversation(tenant, 'two')
  await quiet(guddesk)
  await remove()
  const [oldest, last] = before.cursors
  expect(await log(oldest ?? '')).toMatchObject({
    code: 'bad_request',
    message: expect.stringContaining('start again'),
  })
  // Nothing is missing after the last one that went.
  expect((await log(last ?? '')).cursors).toHaveLength(2)
  expect((await log(null)).cursors).toHaveLength(2)
})

test('a row that cannot be removed keeps no other one, and no other workspace', async () => {
  const { sql } = guddesk.deps.db
  await register()
  for (let i = 0; i < 9; i++) await guddesk.newConversation(tenant)
  await finishAll()
  const other = await guddesk.newTenant()
  await guddesk.newConversation(other)
  const [bad] = await guddesk.deps.db.prisma.delivery.findMany({
    ...ofTenant(),
    skip: 4,
    take: 1,
    orderBy: { id: 'asc' },
  })
  const [badEvent] = await sql<{ id: string }>(
    `SELECT id FROM events WHERE workspace_id = $1 AND id <> $2 ORDER BY xid, seq OFFSET 2 LIMIT 1`,
    [tenant.workspaceId, bad?.eventId],
  )
  const allowDelivery = await refuseRows(guddesk.deps.db, 'DELETE', 'deliveries', `OLD.id = '${bad?.id}'`)
  const allowEvent = await refuseRows(guddesk.deps.db, 'DELETE', 'events', `OLD.id = '${badEvent?.id}'`)
  guddesk.clock.advance(91 * DAY)
  const { rowsSetAside } = guddesk.deps.counts
  await remove()
  expect(await deliveries()).toBe(1)
  const left = await guddesk.deps.db.prisma.event.findMany({ ...ofTenant(), select: { id: true } })
  expect(left.map(({ id }) => id).sort()).toEqual([bad?.eventId, badEvent?.id].sort())
  expect(await guddesk.deps.db.prisma.event.count({ where: { workspaceId: other.workspaceId } })).toBe(0)
  expect(guddesk.deps.counts.rowsSetAside).toBe(rowsSetAside + 2)
  await allowDelivery()
  await allowEvent()
  await remove()
  expect([await deliveries(), await events()]).toEqual([0, 0])
})

test('a clock that is set ahead removes nothing', async () => {
  await register()
  await guddesk.newConversation(tenant)
  await finishAll()
  guddesk.clock.set(200 * DAY)
  await remove()
  guddesk.clock.set(-200 * DAY)
  expect([await deliveries(), await events()]).toEqual([1, 1])
})
