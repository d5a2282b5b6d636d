import { expect } from 'vitest'
import { type Child, post } from '../support/child.ts'
import type { Received, Receiver } from '../support/receiver.ts'
import { until } from '../support/until.ts'

/** Messages written through the API while something goes wrong, and the proof that all of them arrived. */
export interface Flow {
  /** Ids of the messages that the API acknowledged. */
  readonly acknowledged: ReadonlySet<string>
  /** Writes `count` messages, spread over the conversations; a call that fails is made again, as a client would. */
  write(count: number): Promise<void>
  /**
   * Waits until every acknowledged message arrived, and checks that first attempts began in order.
   * @returns arrivals that had come before, which are allowed only where something was cut
   */
  arrived(timeoutMs?: number): Promise<number>
}

const AT_ONCE = 4

/** @param child the process to write to now */
export async function startFlow(child: () => Child, receivers: readonly Receiver[], conversations = 8): Promise<Flow> {
  for (const { url } of receivers) {
    await post(child(), '/api/agent/webhooks', { url, events: { onConversationCreated: false } })
  }
  const { data: visitor } = await post<{ data: { id: string } }>(child(), '/api/v1/customers', { name: 'Vera' })
  const ids: string[] = []
  for (let i = 0; i < conversations; i++) {
    const { data } = await post<{ data: { id: string } }>(child(), '/api/v1/conversations', { visitorId: visitor.id })
    ids.push(data.id)
  }
  const acknowledged = new Set<string>()

  async function writeOne(i: number): Promise<void> {
    const path = `/api/v1/conversations/${ids[i % ids.length]}/messages`
    for (let tries = 0; ; tries++) {
      try {
        const { data } = await post<{ data: { id: string } }>(child(), path, { body: `message ${i}`, type: 'AGENT' })
        acknowledged.add(data.id)
        return
      } catch (error) {
        if (tries > 300) throw error
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
  }

  return {
    acknowledged,
    async write(count) {
      let next = 0
      const worker = async () => {
        while (next < count) await writeOne(next++)
      }
      await Promise.all(Array.from({ length: AT_ONCE }, worker))
    },
    async arrived(timeoutMs = 45_000) {
      let repeated = 0
      for (const receiver of receivers) {
        const messages = () => receiver.received.filter(({ event }) => event === 'message.created')
        const missing = () => {
          const there = new Set(messages().map(({ data }) => data['messageId']))
          return [...acknowledged].filter((id) => !there.has(id)).length
        }
        await until(
          () => missing() === 0,
          timeoutMs,
          () => `${missing()} of ${acknowledged.size} acknowledged messages did not arrive`,
        )
        expect(outOfOrder(messages())).toEqual([])
        repeated += messages().length - new Set(messages().map(({ headers }) => headers['x-guddesk-delivery'])).size
      }
      return repeated
    },
  }
}

/** First arrivals that came before that of an earlier message in their conversation. */
function outOfOrder(messages: readonly Received[]): string[] {
  const seen = new Set<unknown>()
  const last = new Map<unknown, number>()
  const wrong: string[] = []
  for (const { data, headers } of messages) {
    const id = headers['x-guddesk-delivery']
    if (seen.has(id)) continue
    seen.add(id)
    const sequence = Number(data['sequence'])
    const before = last.get(data['conversationId']) ?? 0
    if (sequence < before) wrong.push(`${data['conversationId']}: ${sequence} after ${before}`)
    last.set(data['conversationId'], Math.max(before, sequence))
  }
  return wrong
}

/** Duplicates are allowed where something was cut; how many came is worth knowing. */
export function tell(what: string, repeated: number, of: number): void {
  console.log(`${what}: lost 0, out of order 0, repeated ${repeated} of ${of}`)
}
