import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Child, type Installation, newInstallation } from '../support/child.ts'
import { type OwnPostgres, startPostgres } from '../support/postgres/own-postgres.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { startFlow, tell } from './flow.ts'
import { type OwnRedis, startRedis } from './servers.ts'

let installation: Installation
let receivers: Receiver[]
let cleanup: (() => Promise<void>)[]

beforeEach(async () => {
  installation = await newInstallation()
  receivers = await Promise.all([startReceiver(), startReceiver()])
  cleanup = []
})
afterEach(async () => {
  await installation?.remove()
  await Promise.all(receivers.map((receiver) => receiver.close()))
  for (const step of cleanup) await step()
})

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const COUNT = 80

async function ownPostgres(): Promise<OwnPostgres> {
  const postgres = await startPostgres()
  cleanup.push(() => postgres.remove())
  return postgres
}

async function ownRedis(): Promise<OwnRedis> {
  const redis = await startRedis()
  cleanup.push(() => redis.remove())
  return redis
}

/** Two nodes; messages before, while and after something happens. */
async function through(what: string, env: Record<string, string>, happen: (nodes: Child[]) => Promise<void>) {
  const nodes = await Promise.all([installation.start(env), installation.start(env)])
  const flow = await startFlow(() => nodes[0] as Child, receivers)
  await flow.write(COUNT)
  const writing = flow.write(COUNT)
  await happen(nodes)
  await writing
  await flow.write(20)
  const repeated = await flow.arrived()
  tell(what, repeated, 2 * (2 * COUNT + 20))
  return repeated
}

describe('PostgreSQL', () => {
  test('restarted in the middle', async () => {
    const postgres = await ownPostgres()
    const repeated = await through('PostgreSQL restarted', { DATABASE_URL: postgres.url }, () => postgres.restart())
    // Results that could not be recorded are kept until they can be.
    expect(repeated).toBe(0)
  })

  test('loses one of its processes, and with it all of them', async () => {
    const postgres = await ownPostgres()
    const repeated = await through('PostgreSQL recovers', { DATABASE_URL: postgres.url }, async () => {
      const client = new pg.Client({ connectionString: postgres.url })
      client.on('error', () => undefined) // it ends with the others
      await client.connect()
      const { rows } = await client.query<{ backend: number }>('SELECT backend FROM dispatchers WHERE backend > 1')
      const [row] = rows
      if (row === undefined) throw new Error('no dispatcher names its backend')
      process.kill(row.backend, 'SIGKILL')
      await client.end()
    })
    expect(repeated).toBe(0)
  })

  test.each([
    ['every connection', 'datname = current_database() AND pid <> pg_backend_pid()'],
    ['the connections that show which dispatchers live', 'pid IN (SELECT backend FROM dispatchers)'],
  ])('ends %s', async (what, condition) => {
    const postgres = await ownPostgres()
    const repeated = await through(`PostgreSQL ends ${what}`, { DATABASE_URL: postgres.url }, async () => {
      const client = new pg.Client({ connectionString: postgres.url })
      await client.connect()
      const ended = await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${condition}`)
      await client.end()
      expect(ended.rowCount).toBeGreaterThanOrEqual(2)
    })
    expect(repeated).toBe(0)
  })

  test('away for seven seconds', async () => {
    const postgres = await ownPostgres()
    const repeated = await through('PostgreSQL away', { DATABASE_URL: postgres.url }, async () => {
      await postgres.stop()
      await wait(7000)
      await postgres.start()
    })
    expect(repeated).toBe(0)
  })

  test('silent for seven seconds, as behind a cut network', async () => {
    const postgres = await ownPostgres()
    const repeated = await through('PostgreSQL silent', { DATABASE_URL: postgres.url }, async () => {
      await postgres.pause()
      await wait(7000)
      await postgres.resume()
    })
    expect(repeated).toBe(0)
  })
})

describe('Redis', () => {
  test.each<[string, (redis: OwnRedis) => Promise<void>]>([
    [
      'killed and started again',
      async (redis) => {
        await redis.kill()
        await wait(2000)
        await redis.start()
      },
    ],
    [
      'paused',
      async (redis) => {
        redis.pause()
        await wait(4000)
        redis.resume()
      },
    ],
    ['flushed, its clients thrown out', (redis) => redis.flush()],
  ])('%s', async (name, happen) => {
    const redis = await ownRedis()
    expect(await through(`Redis ${name}`, { REDIS_URL: redis.url }, () => happen(redis))).toBe(0)
  })
})

test('a node that stands still, loses its endpoints and comes back: what was in flight is sent again, nothing else', async () => {
  const repeated = await through('a node stopped for 18 seconds', {}, async ([, second]) => {
    second?.signal('SIGSTOP')
    await wait(18_000)
    second?.signal('SIGCONT')
  })
  expect(repeated).toBeLessThanOrEqual(2 * 10)
})
