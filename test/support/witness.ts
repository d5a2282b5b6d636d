import { DISPATCH_TOPIC } from '../../src/domain/events/events.ts'
import type { Deps } from '../../src/domain/shared/deps.ts'
import { startReceiver } from './receiver.ts'
import { until } from './until.ts'

/** An endpoint in a workspace of its own, at which a test sees how far the dispatcher has come. */
export interface Witness {
  /**
   * Waits until the dispatcher has looked for everything that is due, and begun to send what it found: a request that has
   * not arrived by then does not come until something new happens or time is moved.
   */
  settled(): Promise<void>
  close(): Promise<void>
}

/**
 * The first event may be read in the round of reading that was under way. The next round begins with the look for what is
 * due everywhere, and reads the second event together with that. By the third one, that is sent.
 */
const EVENTS = 3

/** What it needs: a workspace that nobody else uses, and a conversation there. */
interface Place {
  readonly deps: Pick<Deps, 'bus' | 'db'>
  call(method: string, path: string, body: object, call: { key: string }): Promise<unknown>
  readonly workspaceId: string
  readonly key: string
  readonly conversationId: string
}

export async function openWitness({ deps, call, workspaceId, key, conversationId }: Place): Promise<Witness> {
  const receiver = await startReceiver()
  const events = { onMessageCreated: true, onConversationCreated: false }
  await call('POST', '/api/agent/webhooks', { url: receiver.url, events }, { key })
  const path = `/api/v1/conversations/${conversationId}/messages`
  return {
    async settled() {
      deps.bus.notify(DISPATCH_TOPIC)
      for (let i = 0; i < EVENTS; i++) {
        const count = receiver.received.length
        await call('POST', path, { body: 'Did you see that?', type: 'AGENT' }, { key })
        await receiver.waitFor(count + 1)
      }
      // The last of them is recorded as well: nothing of the witness is under way.
      const where = { workspaceId, nextAttemptAt: { not: null } }
      await until(async () => (await deps.db.prisma.delivery.count({ where })) === 0)
    },
    close: () => receiver.close(),
  }
}
