import { Pool } from 'undici'
import { SEND_MESSAGE } from '../../demo/client.ts'
import { type Summary, summarize } from '../../demo/stats.ts'
import type { Place } from './place.ts'
import type { Receiver } from './receiver.ts'
import { type Usage, usageOf } from './usage.ts'

export type Transport = 'REST' | 'GraphQL'

/** One round of adding messages. */
export interface Round {
  readonly messages: number
  readonly acceptedPerSecond: number
  /** From the first request to the last arrival; null without an endpoint. */
  readonly deliveredPerSecond: number | null
  /** Milliseconds. */
  readonly latency: Summary
  /** What one message used, with its delivery. */
  readonly perMessage: Usage
}

const PATIENCE_MS = 30_000
const BODY = 'My parcel has not arrived yet, could you please have a look?'

/**
 * Adds messages over keep-alive connections, each waiting for its answer.
 * @param receiver gets each of them; null: nothing is delivered
 * @throws Error for any answer that accepts nothing, and when a message does not arrive
 */
export async function addMessages(
  place: Place,
  transport: Transport,
  { connections, ms }: { connections: number; ms: number },
  receiver: Receiver | null,
): Promise<Round> {
  const before = await usageOf(place.pid, place.databaseUrl)
  const arrived = receiver?.deliveries.size ?? 0
  const pool = new Pool(place.origin, { connections })
  const samples: number[] = []
  const began = performance.now()
  const worker = async () => {
    for (let sent = began; sent - began < ms; ) {
      await addMessage(pool, place, transport, samples.length)
      const now = performance.now()
      samples.push(now - sent)
      sent = now
    }
  }
  await Promise.all(Array.from({ length: connections }, worker))
  const accepted = performance.now()
  await pool.close()
  if (receiver !== null) await arrive(receiver, arrived + samples.length)
  const after = await usageOf(place.pid, place.databaseUrl)
  const messages = samples.length
  return {
    messages,
    acceptedPerSecond: (1000 * messages) / (accepted - began),
    deliveredPerSecond: receiver === null ? null : (1000 * messages) / (Math.max(receiver.lastAt(), accepted) - began),
    latency: summarize(samples),
    perMessage: share(before, after, messages),
  }
}

async function addMessage(pool: Pool, { key, conversationIds }: Place, transport: Transport, n: number): Promise<void> {
  const conversationId = conversationIds[n % conversationIds.length]
  const body = `${BODY} ${n}`
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const [path, json] =
    transport === 'REST'
      ? [`/api/v1/conversations/${conversationId}/messages`, { type: 'VISITOR', body }]
      : ['/graphql', { query: SEND_MESSAGE, variables: { input: { conversationId, type: 'VISITOR', body } } }]
  const answer = await pool.request({ path, method: 'POST', headers, body: JSON.stringify(json) })
  const text = await answer.body.text()
  const isAccepted = transport === 'REST' ? answer.statusCode === 201 : text.includes('"message":{"id"')
  if (!isAccepted) throw new Error(`${path} answered ${answer.statusCode}: ${text}`)
}

async function arrive(receiver: Receiver, count: number): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  while (receiver.deliveries.size < count) {
    if (performance.now() > until) throw new Error(`${count - receiver.deliveries.size} messages did not arrive`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** What one of `count` messages used. */
function share(before: Usage, after: Usage, count: number): Usage {
  const entries = Object.entries(after).map(([name, value]: [string, number | null]) => {
    const first: number | null = before[name as keyof Usage]
    return [name, value === null || first === null ? null : (value - first) / count]
  })
  return Object.fromEntries(entries) as Usage
}
