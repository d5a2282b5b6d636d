import { randomUUID } from 'node:crypto'
import type { Bus } from '../../src/infra/redis/bus.ts'
import { until } from './until.ts'

/** What a test hears on a topic of the bus. */
export interface Hearing {
  /** In the order in which it came. */
  readonly messages: string[]
  /** Waits until everything that was sent before has come. */
  passed(): Promise<void>
  stop(): void
}

/** Listens to a topic. When it returns, the bus has subscribed for certain: with Redis that takes a moment. */
export async function hear(bus: Bus, topic: string): Promise<Hearing> {
  const fence = `fence-${randomUUID()}`
  const messages: string[] = []
  let last = ''
  const stop = bus.subscribe(topic, (message) => {
    if (message.startsWith(fence)) last = message
    // Whoever was cut off is woken up without a message.
    else if (message !== '') messages.push(message)
  })
  let count = 0
  const greeting = `${fence} ${count++}`
  await until(() => {
    bus.send(topic, greeting)
    return last === greeting
  })
  return {
    messages,
    async passed() {
      const marker = `${fence} ${count++}`
      bus.send(topic, marker)
      await until(() => last === marker)
    },
    stop,
  }
}
