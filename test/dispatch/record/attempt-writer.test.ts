import { expect, test } from 'vitest'
import type { Membership } from '../../../src/dispatch/cluster/membership.ts'
import type { AttemptRecord } from '../../../src/dispatch/delivery.ts'
import { dispatchMetrics } from '../../../src/dispatch/metrics.ts'
import type { EndpointQueue } from '../../../src/dispatch/queue/endpoint-queue.ts'
import { type AttemptWrite, AttemptWriter } from '../../../src/dispatch/record/attempt-writer.ts'
import type { HealthWriter } from '../../../src/dispatch/record/health-writer.ts'
import type { DbConnection } from '../../../src/dispatch/store/connection.ts'
import { systemClock } from '../../../src/infra/clock.ts'
import { createLog } from '../../../src/infra/log.ts'
import { Metrics } from '../../../src/infra/metrics.ts'
import { timersUpTo, until } from '../../support/until.ts'

/** A statement that is under way: what it records, and how it ends. */
interface Batch {
  readonly ids: readonly string[]
  readonly end: (error?: Error) => void
}

const WRITE = 500
const GATHER_MS = 2

/** A recorder on two connections to a database that answers when it is told to. */
function recording() {
  const batches: Batch[] = []
  const recorded: string[] = []
  const run = (_: unknown, params: readonly unknown[]) => {
    const { promise, resolve, reject } = Promise.withResolvers<object[]>()
    const ids = JSON.parse(String(params[1])).map(({ id }: AttemptRecord) => id)
    const end = (error?: Error) => (error ? reject(error) : resolve([{ isMember: true, ids: null }]))
    batches.push({ ids, end })
    return promise
  }
  const connection = { run, batch: { read: WRITE, write: WRITE, gatherMs: GATHER_MS } } as unknown as DbConnection
  const attemptWriter = new AttemptWriter({
    clock: systemClock,
    log: createLog('silent'),
    connections: [connection, connection],
    isPaused: () => false,
    membership: { id: 'me', isActive: true } as unknown as Membership,
    health: { attempted: () => undefined } as unknown as HealthWriter,
    metrics: dispatchMetrics(new Metrics()),
    counts: { rowsSetAside: 0 },
  })
  attemptWriter.onRecorded((writes) => recorded.push(...writes.map(({ record }) => record.id)))
  return { attemptWriter, batches, recorded }
}

function ended(n: number): AttemptWrite {
  const record: AttemptRecord = {
    id: `dlv_${n}`,
    number: 1,
    startedAt: new Date(),
    durationMs: 1,
    statusCode: 200,
    response: '',
    error: null,
    isResent: false,
    status: 'DELIVERED',
    nextAttemptAt: null,
  }
  return { queue: {} as EndpointQueue, delivery: { isTest: false } as AttemptWrite['delivery'], record, isGone: false }
}

const records = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => ended(from + i))
const idsOf = (all: readonly AttemptWrite[]) => all.map(({ record }) => record.id)

test('what comes while a batch is written makes the next one', async () => {
  const { attemptWriter, batches, recorded } = recording()
  for (const each of records(0, 3)) attemptWriter.push(each)
  await until(async () => batches.length === 1)
  expect(batches[0]?.ids).toEqual(idsOf(records(0, 3)))
  for (const each of records(3, 3 + WRITE - 1)) attemptWriter.push(each)
  await timersUpTo(GATHER_MS)
  expect(batches.length).toBe(1)
  batches[0]?.end()
  await until(async () => batches.length === 2)
  expect(batches[1]?.ids).toEqual(idsOf(records(3, 3 + WRITE - 1)))
  expect(attemptWriter.isIdle).toBe(false)
  batches[1]?.end()
  await until(async () => attemptWriter.isIdle)
  expect(recorded).toEqual(idsOf(records(0, 3 + WRITE - 1)))
})

test('a full one goes at once, on another connection, and a third waits for one of them', async () => {
  const { attemptWriter, batches, recorded } = recording()
  for (const each of records(0, 2 * WRITE + 10)) attemptWriter.push(each)
  await until(async () => batches.length === 2)
  await timersUpTo(GATHER_MS)
  expect(batches.map(({ ids }) => ids.length)).toEqual([WRITE, WRITE])
  expect(attemptWriter.backlog).toBe(10)
  for (const { end } of batches) end()
  await until(async () => batches.length === 3)
  batches[2]?.end()
  await until(async () => attemptWriter.isIdle)
  expect(recorded.toSorted()).toEqual(idsOf(records(0, 2 * WRITE + 10)).toSorted())
})

test('what could not be written is written again, before what came later', async () => {
  const { attemptWriter, batches, recorded } = recording()
  for (const each of records(0, 3)) attemptWriter.push(each)
  await until(async () => batches.length === 1)
  for (const each of records(3, 5)) attemptWriter.push(each)
  batches[0]?.end(new Error('the database is away'))
  await until(async () => batches.length === 2)
  expect(batches[1]?.ids).toEqual(idsOf(records(0, 5)))
  batches[1]?.end()
  await until(async () => attemptWriter.isIdle)
  expect(recorded).toEqual(idsOf(records(0, 5)))
})
