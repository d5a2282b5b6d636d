import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { DISPATCH_TOPIC, typingTopic } from '../../../src/domain/events/events.ts'
import type { Database } from '../../../src/infra/database/db.ts'
import { createLog } from '../../../src/infra/log.ts'
import { type Bus, openBus } from '../../../src/infra/redis/bus.ts'
import { openRateCounter } from '../../../src/infra/redis/rate-counter.ts'
import { type SharedRedis, sharedRedis } from '../../../src/infra/redis/shared-redis.ts'
import { createSigner } from '../../../src/infra/redis/signed-messages.ts'
import { deriveKey } from '../../../src/infra/secrets.ts'
import { backend, openTestDatabase } from '../../support/database.ts'
import { startGudDesk } from '../../support/guddesk.ts'
import { METRICS_TOKEN, metric } from '../../support/metrics.ts'
import { REDIS_URL } from '../../support/servers.ts'
import { until } from '../../support/until.ts'

const KEY = Buffer.alloc(32, 1)
const OTHER_KEY = Buffer.alloc(32, 2)
const TOPIC = 'dispatch'

/** A node of the deployment that has this database. */
function node(db: Database, encryptionKey = KEY, previousEncryptionKey?: Buffer): Promise<SharedRedis> {
  const config = { redisUrl: REDIS_URL, dataDir: '', encryptionKey, previousEncryptionKey }
  return sharedRedis(config, db).then((redis) => {
    if (redis === undefined) throw new Error('REDIS_URL is not heeded')
    return redis
  })
}

function busOf(redis: SharedRedis): Bus {
  const bus = openBus(redis, createLog('silent'))
  onTestFinished(() => bus.close())
  return bus
}

function rawRedis(): Redis {
  const redis = new Redis(REDIS_URL)
  onTestFinished(() => void redis.disconnect())
  return redis
}

const GREETING = 'greeting'

/** What a bus hears on a topic, from when it has subscribed for certain. */
async function listen(redis: SharedRedis, topic = TOPIC): Promise<{ heard: string[]; bus: Bus }> {
  const [bus, own] = [busOf(redis), busOf(redis)]
  const heard: string[] = []
  let isThere = false
  bus.subscribe(topic, (message) => {
    if (message === GREETING) isThere = true
    else if (message !== '') heard.push(message)
  })
  await until(() => {
    own.send(topic, GREETING)
    return isThere
  })
  return { heard, bus }
}

/** Redis hands on in order: once this has come, so has everything before it. */
async function sentinel({ bus, heard }: { bus: Bus; heard: string[] }, topic = TOPIC): Promise<void> {
  const last = `last-${randomUUID()}`
  bus.send(topic, last)
  await until(() => heard.includes(last))
  heard.splice(heard.indexOf(last), 1)
}

describe.runIf(backend === 'postgres')('one Redis', () => {
  let db: Database
  let otherDb: Database

  beforeAll(async () => {
    ;[db, otherDb] = await Promise.all([openTestDatabase(), openTestDatabase()])
  })

  afterAll(() => Promise.all([db?.close(), otherDb?.close()]))

  test('nodes that start together on a new database agree on the deployment; another database is another', async () => {
    const nodes = await Promise.all(Array.from({ length: 8 }, () => node(db)))
    const prefixes = new Set([...nodes, await node(db, OTHER_KEY)].map(({ prefix }) => prefix))
    expect([...prefixes]).toEqual([expect.stringMatching(/^guddesk:[\w-]+:$/)])
    expect(prefixes).not.toContain((await node(otherDb)).prefix)
  })

  test('two deployments with one encryption key hear nothing of each other, and count for themselves', async () => {
    const [ours, theirs] = [await node(db), await node(otherDb)]
    const [we, they] = [await listen(ours), await listen(theirs)]
    const second = busOf(ours)
    await until(() => second.isConnected())
    second.send(TOPIC, 'typing')
    second.notify(TOPIC, ['whep_1'])
    await until(() => we.heard.length === 2)
    await sentinel(they)
    expect([we.heard, they.heard, they.bus.refused()]).toEqual([['typing', 'whep_1'], [], 0])

    const key = randomUUID()
    const rates = [ours, ours, theirs].map((redis) => openRateCounter(redis, createLog('silent')))
    const counted = []
    for (const counter of rates) counted.push((await counter.hit(key, 60_000, new Date())).hits)
    expect(counted).toEqual([1, 2, 1])
    await Promise.all(rates.map((counter) => counter.close()))
  })

  test('what no node signed just now for this channel is ignored and counted', async () => {
    const redis = await node(db)
    const listener = await listen(redis)
    const channel = redis.prefix + TOPIC
    const stranger = createSigner(deriveKey(OTHER_KEY, 'bus'), null)
    const at = (ms: number) => new Date(Date.now() + ms)
    const forged = [
      '',
      'whep_1',
      `${'A'.repeat(43)}.${Date.now()}.whep_1`,
      stranger.sign(channel, 'whep_1', at(0)),
      redis.signer.sign(`${redis.prefix}events`, 'whep_1', at(0)),
      redis.signer.sign(channel, 'whep_1', at(0)).replace('whep_1', 'whep_2'),
      redis.signer.sign(channel, 'whep_1', at(-40_000)),
      redis.signer.sign(channel, 'whep_1', at(40_000)),
      'x'.repeat(1_000_000),
    ]
    const raw = rawRedis()
    for (const text of forged) expect(await raw.publish(channel, text)).toBe(1)
    await sentinel(listener)
    expect([listener.heard, listener.bus.refused()]).toEqual([[], forged.length])
  })

  test('while the encryption key is replaced, nodes before and after each step hear each other', async () => {
    const steps = [
      await node(db, KEY),
      await node(db, KEY, OTHER_KEY),
      await node(db, OTHER_KEY, KEY),
      await node(db, OTHER_KEY),
    ]
    const listeners = await Promise.all(steps.map((redis) => listen(redis)))
    for (const [n, { bus }] of listeners.entries()) bus.send(TOPIC, `from ${n}`)
    const heardBy = () => listeners.map(({ heard }) => heard.filter((text) => text.startsWith('from')).toSorted())
    const all = ['from 0', 'from 1', 'from 2', 'from 3']
    await until(() => heardBy().flat().length >= 12)
    for (const listener of listeners) await sentinel(listener)
    expect(heardBy()).toEqual([all.slice(0, 2), all, all, all.slice(2)])
  })

  test('a typing signal that somebody writes into Redis reaches nobody, and /metrics tells', async () => {
    const guddesk = await startGudDesk({ env: { METRICS_TOKEN } })
    onTestFinished(() => guddesk.stop())
    const { prefix } = await node(guddesk.deps.db)
    const topic = typingTopic(guddesk.tenant.workspaceId)
    const heard: string[] = []
    guddesk.deps.bus.subscribe(topic, (message) => {
      if (message !== '') heard.push(message)
    })
    const raw = rawRedis()
    const actor = { type: 'member', id: guddesk.tenant.memberId, name: 'The boss' }
    const signal = JSON.stringify({ conversationId: 'conv_x', typing: true, actor })
    await until(async () => (await raw.publish(prefix + topic, signal)) > 0)
    await raw.publish(prefix + DISPATCH_TOPIC, 'whep_1')
    await until(async () => (await metric(guddesk, 'guddesk_bus_messages_refused_total')) === 2)
    guddesk.deps.bus.send(topic, 'ours')
    await until(() => heard.length > 0)
    expect(heard).toEqual(['ours'])
    expect(guddesk.logs.filter(({ msg }) => msg === 'bus message refused')).toHaveLength(1)
  })

  describe('a counter', () => {
    const WINDOW_MS = 400

    test.each<[string, (raw: Redis, key: string) => Promise<unknown>]>([
      ['without an end', (raw, key) => raw.set(key, '999999999')],
      ['that is no number', (raw, key) => raw.set(key, 'many', 'PX', WINDOW_MS)],
      ['that is negative', (raw, key) => raw.set(key, '-1000000', 'PX', WINDOW_MS)],
      ['with leading zeros', (raw, key) => raw.set(key, '007', 'PX', WINDOW_MS)],
      ['as large as Redis has them', (raw, key) => raw.set(key, '9223372036854775807', 'PX', WINDOW_MS)],
      ['of a megabyte', (raw, key) => raw.set(key, '9'.repeat(1_000_000), 'PX', WINDOW_MS)],
      ['that is a list', (raw, key) => raw.rpush(key, '1', '2')],
      ['that is a hash', (raw, key) => raw.hset(key, 'hits', '5')],
    ])('%s begins anew, and Redis goes on counting', async (_, forge) => {
      const redis = await node(db)
      const rates = openRateCounter(redis, createLog('silent'))
      const [raw, key] = [rawRedis(), randomUUID()]
      await forge(raw, `${redis.prefix}rate:${key}`)
      const hits = [await rates.hit(key, WINDOW_MS, new Date()), await rates.hit(key, WINDOW_MS, new Date(), 3)]
      expect(hits.map((window) => window.hits)).toEqual([1, 4])
      for (const { endsInMs } of hits) expect(endsInMs).toBeLessThanOrEqual(WINDOW_MS)
      expect(rates.missedByRedis()).toBe(0)
      await rates.close()
    })

    test('with a high number and a long time holds for one window at most', async () => {
      const redis = await node(db)
      const rates = openRateCounter(redis, createLog('silent'))
      const [raw, key] = [rawRedis(), randomUUID()]
      await raw.set(`${redis.prefix}rate:${key}`, '999999', 'EX', 86_400)
      const forged = await rates.hit(key, WINDOW_MS, new Date())
      expect(forged).toEqual({ hits: 1_000_000, endsInMs: WINDOW_MS, fits: true })
      await until(async () => (await rates.hit(key, WINDOW_MS, new Date())).hits < 1000)
      expect(rates.missedByRedis()).toBe(0)
      await rates.close()
    })

    test('that somebody writes into Redis does not turn a caller away', async () => {
      const guddesk = await startGudDesk({ env: { RATE_LIMIT_PER_MINUTE: '20' } })
      onTestFinished(() => guddesk.stop())
      const read = () => guddesk.call('GET', '/api/v1/conversations')
      await read()
      const raw = rawRedis()
      const keys = await raw.keys(`${(await node(guddesk.deps.db)).prefix}rate:*`)
      expect(keys).not.toEqual([])
      for (const forge of [(key: string) => raw.set(key, '999999999'), (key: string) => raw.rpush(key, 'x')]) {
        await raw.del(...keys)
        for (const key of keys) await forge(key)
        const { status, headers } = await read()
        expect([status, headers.get('x-ratelimit-remaining')]).toEqual([200, '19'])
      }
    })
  })
})
