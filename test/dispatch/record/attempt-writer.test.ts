import { expect, test } from 'vitest'
import type { Roster } from '../../../src/dispatch/cluster/membership.ts'
import { dispatchMetrics } from '../../../src/dispatch/metrics.ts'
import type { EndpointQueue } from '../../../src/dispatch/queue/endpoint-queue.ts'
import { type Ended, Recorder } from '../../../src/dispatch/record/attempt-writer.ts'
import type { HealthRecorder } from '../../../src/dispatch/record/health-writer.ts'
import type { Session } from '../../../src/dispatch/store/connection.ts'
import type { Result } from '../../../src/dispatch/store/record-attempts.ts'
import { systemClock } from '../../../src/infra/clock.ts'
import { createLog } from '../../../src/infra/log.ts'
import { Metrics } from '../../../src/infra/metrics.ts'
import { settle, until } from '../../support/until.ts'

/** A statement that is under way: what it records, and how it ends. */
interface Batch {
  readonly ids: readonly string[]
  readonly end: (error?: Error) => void
}

const WRITE = 500

/** A recorder on two connections to a database that answers when it is told to. */
function recording() {
  const batches: Batch[] = []
  const recorded: string[] = []
  const run = (_: unknown, params: readonly unknown[]) => {
    const { promise, resolve, reject } = Promise.withResolvers<object[]>()
    const ids = JSON.parse(String(params[1])).map(({ id }: Result) => id)
    const end = (error?: Error) => (error ? reject(error) : resolve([{ isTrusted: true, ids: null }]))
    batches.push({ ids, end })
    return promise
  }
  const session = { run, batch: { read: WRITE, write: WRITE, gatherMs: 2 } } as unknown as Session
  const recorder = new Recorder({
    clock: systemClock,
    log: createLog('silent'),
    sessions: [session, session],
    isPaused: () => false,
    roster: { id: 'me', isTrusted: true } as unknown as Roster,
    health: { note: () => undefined } as unknown as HealthRecorder,
    metrics: dispatchMetrics(new Metrics()),
    counts: { rowsSetAside: 0 },
    recorded: (ended) => recorded.push(...ended.map(({ result }) => result.id)),
    lost: () => undefined,
  })
  return { recorder, batches, recorded }
}

function ended(n: number): Ended {
  const result: Result = {
    id: `dlv_${n}`,
    number: 1,
    startedAt: new Date(),
    durationMs: 1,
    statusCode: 200,
    response: '',
    error: null,
    isResent: false,
    status: 'DELIVERED',
    due: null,
  }
  return { queue: {} as EndpointQueue, claimed: { isTest: false } as Ended['claimed'], result, isGone: false }
}

const results = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => ended(from + i))
const idsOf = (all: readonly Ended[]) => all.map(({ result }) => result.id)

test('what comes while a batch is written makes the next one', async () => {
  const { recorder, batches, recorded } = recording()
  for (const each of results(0, 3)) recorder.push(each)
  await until(async () => batches.length === 1)
  expect(batches[0]?.ids).toEqual(idsOf(results(0, 3)))
  for (const each of results(3, 3 + WRITE - 1)) recorder.push(each)
  await settle(30)
  expect(batches.length).toBe(1)
  batches[0]?.end()
  await until(async () => batches.length === 2)
  expect(batches[1]?.ids).toEqual(idsOf(results(3, 3 + WRITE - 1)))
  expect(recorder.isIdle).toBe(false)
  batches[1]?.end()
  await until(async () => recorder.isIdle)
  expect(recorded).toEqual(idsOf(results(0, 3 + WRITE - 1)))
})

test('a full one goes at once, on another connection, and a third waits for one of them', async () => {
  const { recorder, batches, recorded } = recording()
  for (const each of results(0, 2 * WRITE + 10)) recorder.push(each)
  await until(async () => batches.length === 2)
  await settle(30)
  expect(batches.map(({ ids }) => ids.length)).toEqual([WRITE, WRITE])
  expect(recorder.backlog).toBe(10)
  for (const { end } of batches) end()
  await until(async () => batches.length === 3)
  batches[2]?.end()
  await until(async () => recorder.isIdle)
  expect(recorded.toSorted()).toEqual(idsOf(results(0, 2 * WRITE + 10)).toSorted())
})

test('what could not be written is written again, before what came later', async () => {
  const { recorder, batches, recorded } = recording()
  for (const each of results(0, 3)) recorder.push(each)
  await until(async () => batches.length === 1)
  for (const each of results(3, 5)) recorder.push(each)
  batches[0]?.end(new Error('the database is away'))
  await until(async () => batches.length === 2)
  expect(batches[1]?.ids).toEqual(idsOf(results(0, 5)))
  batches[1]?.end()
  await until(async () => recorder.isIdle)
  expect(recorded).toEqual(idsOf(results(0, 5)))
})
