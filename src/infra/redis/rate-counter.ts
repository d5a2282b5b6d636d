import { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import type { Log } from '../log.ts'
import type { SharedRedis } from './shared-redis.ts'

/** The hits of one key in its current window. */
export interface Window {
  /** Including this hit: 1 for the first one of weight 1. */
  readonly hits: number
  /** Milliseconds until the next hit starts a new window. */
  readonly endsInMs: number
  /** Whether the whole weight stayed within `max`. Otherwise, it counted as one. */
  readonly fits: boolean
}

/** Counts hits in windows that start with a key's first hit. It never throws, and never waits long. */
export interface RateCounter {
  /**
   * @param times the weight of the hit; 1 by default
   * @param max a hit that would exceed it counts as one, regardless of its weight; no maximum by default
   */
  hit(key: string, windowMs: number, now: Date, times?: number, max?: number): Promise<Window>
  /** The number of hits that this process counted alone because Redis did not respond. */
  missedByRedis(): number
  close(): Promise<void>
}

/** Shared by all nodes with Redis, otherwise of this process. */
export function openRateCounter(redis: Pick<SharedRedis, 'url' | 'prefix'> | undefined, log: Log): RateCounter {
  return redis === undefined ? localCounter() : redisCounter(redis, log)
}

/** The maximum number of keys; the least recently hit ones are dropped. */
const MAX_KEPT = 100_000

function localCounter(): RateCounter {
  const windows = new LRUCache<string, { hits: number; endsAt: number }>({ max: MAX_KEPT })
  return {
    async hit(key, windowMs, now, times = 1, max = Number.POSITIVE_INFINITY) {
      const at = now.getTime()
      const found = windows.get(key)
      const window = found !== undefined && found.endsAt > at ? found : { hits: 0, endsAt: at + windowMs }
      const fits = window.hits + times <= max
      window.hits += fits ? times : 1
      windows.set(key, window)
      return { hits: window.hits, endsInMs: window.endsAt - at, fits }
    },
    missedByRedis: () => 0,
    close: async () => windows.clear(),
  }
}

/**
 * One round trip, and no key without an expiry, even if a process dies in between. Other users of Redis can write, too:
 * an invalid counter is reset, and no counter outlives a window.
 */
const HIT = `
local key = KEYS[1]
local window = tonumber(ARGV[1])
local function isCounter()
  if redis.call('TYPE', key).ok ~= 'string' or redis.call('PTTL', key) < 0 then return false end
  local start = redis.call('GETRANGE', key, 0, 15)
  return #start <= 15 and string.match(start, '^[1-9]%d*$') ~= nil
end
if not isCounter() then redis.call('UNLINK', key) end
local times = tonumber(ARGV[2])
local fits = 1
if ARGV[3] ~= '' and tonumber(redis.call('GET', key) or '0') + times > tonumber(ARGV[3]) then
  fits = 0
  times = 1
end
local hits = redis.call('INCRBY', key, times)
local left = redis.call('PTTL', key)
if left < 0 or left > window then
  redis.call('PEXPIRE', key, window)
  left = window
end
return {hits, left, fits}`
/** The time that a hanging Redis can delay a request, once a second. */
const COMMAND_MS = 250
const PAUSE_MS = 1000
const LOG_EVERY_MS = 60_000

/**
 * Counts in Redis. During an outage of Redis, each node counts alone: the limit then applies per node, and no request
 * is refused because of the outage.
 */
function redisCounter({ url, prefix }: Pick<SharedRedis, 'url' | 'prefix'>, log: Log): RateCounter {
  const fallback = localCounter()
  const redis = new Redis(url, {
    // The first requests of a process wait for the connection.
    enableOfflineQueue: true,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_MS,
    retryStrategy: (tries) => Math.min(50 * tries, 1000),
  })
  redis.on('error', () => undefined) // told below, when it matters to a request
  const waitNoMore = () => {
    redis.options.enableOfflineQueue = false
  }
  redis.once('ready', waitNoMore)
  redis.once('close', waitNoMore)
  let pausedUntil = 0
  let loggedAt = Number.NEGATIVE_INFINITY
  let missed = 0
  let missedBefore = 0

  function noteFailure(error: unknown): void {
    pausedUntil = performance.now() + PAUSE_MS
    if (performance.now() - loggedAt < LOG_EVERY_MS) return
    loggedAt = performance.now()
    const since = missed - missedBefore
    log.warn({ err: error, missedCount: since }, 'Redis not responding; rate limits counted per node')
    missedBefore = missed
  }

  return {
    async hit(key, windowMs, now, times = 1, max) {
      if (performance.now() >= pausedUntil) {
        try {
          const reply: unknown = await redis.eval(HIT, 1, `${prefix}rate:${key}`, windowMs, times, max ?? '')
          const [hits, endsInMs, fits] = Array.isArray(reply) ? reply.map(Number) : []
          if (!isCount(hits) || !isCount(endsInMs)) throw new Error('Redis answered something else')
          return { hits, endsInMs, fits: fits === 1 }
        } catch (error) {
          noteFailure(error)
        }
      }
      missed += 1
      return fallback.hit(key, windowMs, now, times, max)
    },
    missedByRedis: () => missed,
    async close() {
      redis.disconnect()
      await fallback.close()
    },
  }
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0
}
