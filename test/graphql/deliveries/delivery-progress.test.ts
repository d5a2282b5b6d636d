import { expect, test } from 'vitest'
import { inEventTransaction } from '../../../src/domain/events/event-lock.ts'
import type { DeliveryProgress } from '../../../src/live/delivery-stream.ts'
import { openStreams } from '../../../src/live/streams.ts'
import { backend } from '../../support/database.ts'
import { quiet } from '../../support/event-log.ts'
import { pause, timersUpTo, until } from '../../support/until.ts'
import { overWebSocket } from '../live.ts'
import {
  DELIVERIES,
  guddesk,
  NOTHING,
  register,
  sum,
  tenant,
  type Update,
  untilSumIs,
  useStreams,
} from './delivery-stream-steps.ts'

useStreams()

/** The time between two looks. */
const WINDOW_MS = 250

/** So many deliveries of the tenant, recorded by somebody as delivered: what a dispatcher elsewhere does. */
/** With the lock that whoever records events holds: a reader waits for what is not committed. */
async function flood(endpointId: string, name: string, count: number): Promise<void> {
  const { workspaceId } = tenant
  await inEventTransaction(guddesk.deps, { workspaceId }, (tx) =>
    tx.db.$executeRawUnsafe(
      `WITH event AS (
       INSERT INTO events (id, workspace_id, type, body)
       SELECT 'evt_' || $3 || n || $1, $1, 'message.created', '{"event":"x","data":{},"timestamp":""}'
         FROM generate_series(1, $4::int) n RETURNING id, seq
     ), delivery AS (
       INSERT INTO deliveries (id, workspace_id, event_id, endpoint_id, seq, status, attempts, finished_at)
       SELECT 'dlv_' || id, $1, id, $2, seq, 'DELIVERED', 1, now() FROM event RETURNING id
     )
     INSERT INTO delivery_attempts (delivery_id, number, started_at, duration_ms, status_code)
     SELECT id, 1, now(), row_number() OVER (), 200 FROM delivery`,
      ...[workspaceId, endpointId, name, count],
    ),
  )
}

test('1,000 deliveries a second make at most four updates a second, each of bounded size, and none is missed', async () => {
  const endpointId = await register()
  const live = overWebSocket<Update>(guddesk, {}, { query: DELIVERIES, key: tenant.key })
  await until(() => live.events.length > 0)
  const began = performance.now()
  for (let i = 0; i < 40; i++) {
    await flood(endpointId, `${i}_`, 50)
    await pause(25)
  }
  const took = performance.now() - began
  await untilSumIs(live, { ...NOTHING, created: 2000, delivered: 2000 })
  const late = overWebSocket<Update>(guddesk, {}, { query: DELIVERIES, key: tenant.key })
  await until(() => late.events.length > 0)
  await late.stop()
  await live.stop()
  expect(sum(live.events)).toEqual({ ...NOTHING, created: 2000, delivered: 2000 })
  const updates = live.events.slice(1)
  expect(updates.length).toBeLessThanOrEqual(Math.ceil(took / 250) + 2)
  for (const { newest, omitted, delivered } of updates) {
    expect(newest.length).toBeLessThanOrEqual(50)
    expect(newest.length + omitted).toBeGreaterThanOrEqual(delivered)
  }
})

/** Follows deliveries without a transport. */
async function follow() {
  const actor = await guddesk.actorOf(tenant.key)
  const streams = openStreams(guddesk.deps)
  const controller = new AbortController()
  const batches = streams.deliveries.follow(actor, {}, controller.signal)
  /** Waits until everything that was recorded before has been read: who comes is told so after a look. */
  const looked = async () => {
    await quiet(guddesk)
    const late = streams.deliveries.follow(actor, {}, controller.signal)
    await late.next()
    await late.return()
  }
  const close = () => {
    controller.abort()
    streams.close()
  }
  return { batches, looked, close }
}

test('a slow reader gets one bounded batch with everything in it', async () => {
  const endpointId = await register()
  const { batches, looked, close } = await follow()
  await batches.next()
  await flood(endpointId, 'first', 1)
  // This one is ready before the others come.
  await looked()
  for (let i = 0; i < 12; i++) await flood(endpointId, `${i}_`, 1000)
  await looked()
  const [first, second] = [await batches.next(), await batches.next()]
  expect(first.value?.counts).toEqual({ ...NOTHING, created: 1, delivered: 1 })
  expect(second.value?.counts).toEqual({ ...NOTHING, created: 12_000, delivered: 12_000 })
  expect(await second.value?.newest()).toHaveLength(50)
  expect(second.value?.omitted).toBeGreaterThanOrEqual(11_950)
  close()
})

test('percentiles are those of the attempts', async () => {
  const endpointId = await register()
  const { batches, close } = await follow()
  await batches.next()
  await flood(endpointId, 'flood', 100)
  const { value } = await batches.next()
  expect(value?.durationMs).toEqual({ p50: 50, p95: 95 })
  close()
})

test.runIf(backend === 'postgres')('what a transaction records late is counted once all the same', async () => {
  const endpointId = await register()
  const { batches, looked, close } = await follow()
  await batches.next()
  const counts: DeliveryProgress['counts'][] = []
  const reading = (async () => {
    for await (const { counts: each } of batches) counts.push(each)
  })()
  const total = (step: keyof DeliveryProgress['counts']) => counts.reduce((sum, each) => sum + each[step], 0)
  await flood(endpointId, 'a', 10)
  const client = await guddesk.deps.db.pool.connect()
  try {
    // Its attempt's id is given out before those of the others, which are read first.
    await client.query('BEGIN')
    await client.query(
      `INSERT INTO delivery_attempts (delivery_id, number, started_at, duration_ms, status_code)
       SELECT id, 2, now(), 1, 200 FROM deliveries WHERE workspace_id = $1 LIMIT 1`,
      [tenant.workspaceId],
    )
    for (const name of ['b', 'c', 'd']) {
      await flood(endpointId, name, 10)
      await looked()
    }
    await client.query('COMMIT')
  } finally {
    client.release(true)
  }
  await until(() => total('delivered') >= 41 && total('created') >= 40)
  for (let i = 0; i < 2; i++) await looked()
  close()
  await reading
  expect([total('created'), total('delivered')]).toEqual([40, 41])
})

test('nobody who follows costs nothing: it looks only while somebody does', async () => {
  const { db } = guddesk.deps
  const sql = db.sql.bind(db)
  let looks = 0
  Object.assign(db, {
    sql: (text: string, params?: unknown[]) => {
      if (text.includes('delivery_attempts')) looks++
      return sql(text, params)
    },
  })
  try {
    await timersUpTo(WINDOW_MS)
    expect(looks).toBe(0)
    const { batches, close } = await follow()
    await batches.next()
    await until(() => looks > 1)
    close()
    await timersUpTo(WINDOW_MS)
    looks = 0
    await timersUpTo(WINDOW_MS)
    expect(looks).toBe(0)
  } finally {
    Object.assign(db, { sql })
  }
})
