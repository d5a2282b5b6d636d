import { Redis } from 'ioredis'
import { systemClock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { SharedRedis } from './shared-redis.ts'

export type Listener = (message: string) => void

/**
 * Carries signals that can be lost: wake-ups and typing. It never throws or waits. The database is the source of truth,
 * and all listeners also poll it.
 */
export interface Bus {
  /**
   * Publishes that there is something new. Many calls within one turn of the event loop become one message with all
   * names, separated by spaces. It is empty if a call has no names, or if there are too many.
   * @param names ids without spaces; none: everything
   */
  notify(topic: string, names?: readonly string[]): void
  /** Publishes one message with a payload that is worthless a moment later (typing). */
  send(topic: string, message: string): void
  /** @returns a function that ends the subscription */
  subscribe(topic: string, listener: Listener): () => void
  /** Whether messages reach other nodes now. */
  isConnected(): boolean
  /** The number of received messages that did not come from a node of this deployment. */
  refused(): number
  close(): Promise<void>
}

/** Redis pub/sub with Redis, otherwise within this process. */
export function openBus(redis: SharedRedis | undefined, log: Log): Bus {
  return redis === undefined ? localBus() : redisBus(redis, log)
}

type Topics = Map<string, Set<Listener>>

function deliver(topics: Topics, topic: string, message: string): void {
  for (const listener of [...(topics.get(topic) ?? [])]) listener(message)
}

function listen(topics: Topics, topic: string, listener: Listener): { isFirst: boolean; stop: () => boolean } {
  const listeners = topics.get(topic) ?? new Set()
  topics.set(topic, listeners.add(listener))
  return {
    isFirst: listeners.size === 1,
    stop: () => {
      if (!listeners.delete(listener) || listeners.size > 0) return false
      topics.delete(topic)
      return true
    },
  }
}

/** The maximum number of names in one wake-up. */
const MAX_NAMES = 200

/** Collects the wake-ups of one turn of the event loop and publishes one message per topic. */
function coalesce(publish: (topic: string, names: string) => void): Bus['notify'] {
  let pending = new Map<string, Set<string> | null>()
  return (topic, names = []) => {
    if (pending.size === 0) {
      setImmediate(() => {
        const gathered = pending
        pending = new Map()
        for (const [wanted, set] of gathered) publish(wanted, set === null ? '' : [...set].join(' '))
      })
    }
    const known = pending.get(topic)
    const all = known === null || names.length === 0 ? null : new Set([...(known ?? []), ...names])
    pending.set(topic, all === null || all.size > MAX_NAMES ? null : all)
  }
}

function localBus(): Bus {
  const topics: Topics = new Map()
  return {
    notify: coalesce((topic, names) => deliver(topics, topic, names)),
    send: (topic, message) => setImmediate(() => deliver(topics, topic, message)),
    subscribe(topic, listener) {
      const { stop } = listen(topics, topic, listener)
      return () => void stop()
    },
    isConnected: () => true,
    refused: () => 0,
    close: async () => topics.clear(),
  }
}

const LOG_EVERY_MS = 60_000
/** The maximum number of own messages that are recognised when Redis returns them. Others are heard twice, which harms nobody. */
const MAX_OWN = 1000

/**
 * Other users of Redis can publish, too: messages without a valid signature of this deployment are counted and ignored.
 * Uses the machine's time, which is compared with that of other nodes.
 */
function redisBus({ url, prefix, signer }: SharedRedis, log: Log): Bus {
  const topics: Topics = new Map()
  // Without an offline queue: a wake-up that waited for Redis is useless, and would take memory.
  const options = { enableOfflineQueue: false, maxRetriesPerRequest: 0, lazyConnect: false } as const
  const publisher = new Redis(url, { ...options, retryStrategy: reconnectDelay })
  const subscriber = new Redis(url, { ...options, retryStrategy: reconnectDelay, autoResubscribe: false })

  for (const [role, client] of Object.entries({ publisher, subscriber })) {
    let isDown = false
    client.on('error', (error) => {
      if (!isDown) log.warn({ err: error, role }, 'Redis unreachable; wake-ups wait for the next poll')
      isDown = true
    })
    client.on('ready', () => {
      if (isDown) log.info({ role }, 'Redis available again')
      isDown = false
    })
  }
  const report = (error: unknown) => log.debug({ err: error }, 'bus message lost')
  /** Own messages on their way: listeners here have heard them at once, and do not hear them again from Redis. */
  const own = new Set<string>()
  const publish = (topic: string, message: string) => {
    const channel = prefix + topic
    const signed = signer.sign(channel, message, systemClock.now())
    if (own.size >= MAX_OWN) own.clear()
    if (topics.has(topic)) own.add(signed)
    publisher.publish(channel, signed).catch((error: unknown) => {
      own.delete(signed)
      report(error)
    })
    deliver(topics, topic, message)
  }
  subscriber.on('ready', () => {
    if (topics.size > 0) subscriber.subscribe(...[...topics.keys()].map((topic) => prefix + topic)).catch(report)
    // Messages during the outage were lost: all listeners must poll now.
    for (const topic of topics.keys()) deliver(topics, topic, '')
  })
  let refused = 0
  let loggedAt = Number.NEGATIVE_INFINITY
  const refuse = (channel: string, reason: string) => {
    refused += 1
    if (performance.now() - loggedAt < LOG_EVERY_MS) return
    loggedAt = performance.now()
    log.warn({ channel, reason, refusedCount: refused }, 'bus message refused')
  }
  subscriber.on('close', () => own.clear())
  subscriber.on('message', (channel, text) => {
    if (own.delete(text)) return
    const opened = signer.open(channel, text, systemClock.now())
    if ('refused' in opened) refuse(channel, opened.refused)
    else deliver(topics, channel.slice(prefix.length), opened.message)
  })

  return {
    notify: coalesce(publish),
    send: (topic, message) => setImmediate(() => publish(topic, message)),
    subscribe(topic, listener) {
      const { isFirst, stop } = listen(topics, topic, listener)
      if (isFirst && subscriber.status === 'ready') subscriber.subscribe(prefix + topic).catch(report)
      return () => {
        if (stop() && subscriber.status === 'ready') subscriber.unsubscribe(prefix + topic).catch(report)
      }
    },
    isConnected: () => publisher.status === 'ready' && subscriber.status === 'ready',
    refused: () => refused,
    async close() {
      publisher.disconnect()
      subscriber.disconnect()
    },
  }
}

/** Milliseconds until the next attempt to connect: at first short, then a second. */
function reconnectDelay(tries: number): number {
  return Math.min(50 * tries, 1000)
}
