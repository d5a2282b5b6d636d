import { Pool } from 'undici'
import { type Summary, summarize } from '../../demo/stats.ts'
import type { Place } from './place.ts'
import type { Receiver } from './receiver.ts'

/** Turns of conversations: a visitor's message, its webhook, and the agent's reply, stored. */
export interface Turns {
  /** With as many turns at a time as there are connections. */
  readonly perSecond: number
  /** At half of that rate, in milliseconds. */
  readonly latency: Summary
}

const CONNECTIONS = 32

export async function measureTurns(place: Place, agentKey: string, receiver: Receiver, ms: number): Promise<Turns> {
  const pool = new Pool(place.origin, { connections: 2 * CONNECTIONS })
  const replied = new Map<string, () => void>()
  const post = async (path: string, key: string, body: object) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const answer = await pool.request({ path, method: 'POST', headers, body: JSON.stringify(body) })
    const text = await answer.body.text()
    if (answer.statusCode >= 300) throw new Error(`${path} answered ${answer.statusCode}: ${text}`)
  }
  let failure: unknown
  receiver.onArrival = (text) => {
    const { conversationId }: { conversationId: string } = JSON.parse(text).data
    const reply = { conversationId, body: 'It is on its way, and arrives tomorrow.' }
    post('/api/agent/reply', agentKey, reply).then(
      () => replied.get(conversationId)?.(),
      (error: unknown) => {
        failure ??= error
        replied.get(conversationId)?.()
      },
    )
  }
  const turn = async (conversationId: string) => {
    const began = performance.now()
    const reply = new Promise<void>((resolve) => replied.set(conversationId, resolve))
    await post(`/api/v1/conversations/${conversationId}/messages`, place.key, { type: 'VISITOR', body: 'Where is it?' })
    await reply
    if (failure !== undefined) throw failure
    return performance.now() - began
  }

  const began = performance.now()
  let turns = 0
  const worker = async (conversationId: string) => {
    while (performance.now() - began < ms) {
      await turn(conversationId)
      turns++
    }
  }
  await Promise.all(place.conversationIds.slice(0, CONNECTIONS).map(worker))
  const perSecond = (1000 * turns) / (performance.now() - began)

  const samples: number[] = []
  const all: Promise<unknown>[] = []
  const free = [...place.conversationIds]
  const start = performance.now()
  for (let n = 0; n * (2000 / perSecond) < ms; n++) {
    const wait = start + n * (2000 / perSecond) - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    const conversationId = free.shift()
    if (conversationId === undefined) throw new Error('Every conversation waits for a reply')
    all.push(
      turn(conversationId).then((took) => {
        samples.push(took)
        free.push(conversationId)
      }),
    )
  }
  await Promise.all(all)
  receiver.onArrival = () => undefined
  await pool.close()
  return { perSecond, latency: summarize(samples) }
}
