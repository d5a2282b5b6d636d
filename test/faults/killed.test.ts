import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FaultPoint } from '../../src/dispatch/fault-injection.ts'
import { type Child, type Installation, newInstallation } from '../support/child.ts'
import { METRICS_TOKEN, metric } from '../support/metrics.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { until } from '../support/until.ts'
import { startFlow, tell } from './flow.ts'

let installation: Installation
let receivers: Receiver[]

beforeEach(async () => {
  installation = await newInstallation()
  receivers = await Promise.all([startReceiver(), startReceiver(), startReceiver()])
})
afterEach(async () => {
  await installation?.remove()
  await Promise.all(receivers.map((receiver) => receiver.close()))
})

const EMBEDDED = { DATABASE_URL: '', REDIS_URL: '' }
const STEPS: FaultPoint[] = ['fetch', 'before-send', 'after-send', 'record', 'after-record']
/** What one process may have in flight or unrecorded when it dies: sent again, never lost. */
const MOST_CUT = 3 * 10

describe.each([
  ['PostgreSQL', {}],
  ['embedded', EMBEDDED],
])('kill -9 on %s', (_name, backend: Record<string, string>) => {
  test.each(STEPS)('at "%s", and a restart', async (step) => {
    let child: Child = await installation.start({ ...backend, GUDDESK_FAULT: `${step}:12` })
    const flow = await startFlow(() => child, receivers)
    const writing = flow.write(60)
    expect(await child.exited()).toBe('SIGKILL')
    child = await installation.start(backend)
    await writing
    const repeated = await flow.arrived()
    tell(`killed at ${step}`, repeated, 3 * 60)
    expect(repeated).toBeLessThanOrEqual(MOST_CUT)
  })
})

test('kill -9 of one of three nodes: the others take its endpoints', async () => {
  const [victim, ...others] = await Promise.all([
    installation.start({ GUDDESK_FAULT: 'after-send:40' }),
    installation.start(),
    installation.start(),
  ])
  const flow = await startFlow(() => others[0] as Child, receivers)
  const writing = flow.write(300)
  const killed = setTimeout(() => victim.signal('SIGKILL'), 2000)
  await writing
  await victim.exited()
  clearTimeout(killed)
  await flow.write(50)
  const repeated = await flow.arrived()
  tell('one of three nodes killed', repeated, 3 * 350)
  expect(repeated).toBeLessThanOrEqual(MOST_CUT)
})

const TAKEN_OVER_MS = 5000

/** Endpoints that belong to a process. */
const endpointsOf = (node: Child) => metric(node, 'guddesk_dispatch_endpoints')

test('kill -9 of one of two nodes: what is new for its endpoints comes from the other one within 5 seconds', async () => {
  const many = await Promise.all(Array.from({ length: 12 }, () => startReceiver()))
  receivers.push(...many)
  const [survivor, victim] = await Promise.all([
    installation.start({ METRICS_TOKEN }),
    installation.start({ METRICS_TOKEN }),
  ])
  const flow = await startFlow(() => survivor, many)
  // The one that came first has them all for a moment.
  await until(async () => {
    await flow.write(8)
    return (await endpointsOf(victim)) > 0
  })
  const before = await flow.arrived()
  // What has just arrived may not be recorded yet, and would come again.
  await until(async () => (await metric(victim, 'guddesk_deliveries_held')) === 0)
  const taken = await endpointsOf(victim)
  victim.signal('SIGKILL')
  await victim.exited()
  const killedAt = performance.now()
  await flow.write(40)
  const repeated = (await flow.arrived()) - before
  const took = performance.now() - killedAt
  tell(`${taken} endpoints taken over after ${Math.round(took)} ms`, repeated, many.length * flow.acknowledged.size)
  expect(before).toBe(0)
  expect(repeated).toBe(0)
  expect(took).toBeLessThan(TAKEN_OVER_MS)
})

test('kill -9 of the only node: what waited comes within 5 seconds after it was started again', async () => {
  let child = await installation.start()
  const flow = await startFlow(() => child, receivers)
  await flow.write(40)
  child.signal('SIGKILL')
  await child.exited()
  child = await installation.start()
  const startedAt = performance.now()
  await flow.write(40)
  const repeated = await flow.arrived()
  const took = performance.now() - startedAt
  tell(`going on ${Math.round(took)} ms after a restart`, repeated, receivers.length * flow.acknowledged.size)
  expect(repeated).toBeLessThanOrEqual(MOST_CUT)
  expect(took).toBeLessThan(TAKEN_OVER_MS)
})

test('in production the fault points mean nothing', async () => {
  const { spawnSync } = await import('node:child_process')
  const code =
    "import { faultPoint } from './src/dispatch/fault-injection.ts'; faultPoint('fetch'); console.log('alive')"
  const env = { ...process.env, GUDDESK_FAULT: 'fetch', NODE_ENV: 'production' }
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', code], { env, encoding: 'utf8' })
  expect(run.stdout).toBe('alive\n')
  const armed = spawnSync(process.execPath, ['--input-type=module', '-e', code], { env: { ...env, NODE_ENV: 'test' } })
  expect(armed.signal).toBe('SIGKILL')
})
