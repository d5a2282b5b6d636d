import type { ChangeFilter } from '../domain/conversations/changed-conversations.ts'
import type { ConversationWithPeople } from '../domain/conversations/conversations.ts'
import type { InboxTally } from '../domain/conversations/inbox-counts.ts'
import { StreamEndedError } from './log-tailer.ts'
import type { ChangedConversation } from './pending-changes.ts'

/** How many conversations wait for a slow reader. */
export const WAITING = 1000

/** A conversation that changed, and who has it in their list. */
export interface Change extends ChangedConversation {
  /** As it is now; null: no filter matches it, or it was deleted. */
  readonly conversation: ConversationWithPeople | null
  readonly matches: ReadonlySet<ChangeFilter>
}

/** What waits for a subscriber. */
export interface InboxBatch {
  readonly changes: readonly Change[]
  /** The latest counts; null: not counted again. */
  readonly tally: InboxTally | null
}

/** One subscriber's bounded buffer: a conversation that changes again takes its older place. */
export class InboxSubscriberBuffer {
  #changes = new Map<string, Change>()
  /** It has asked for counts, and is told when they change. */
  wantsCounts = false
  #tally: InboxTally | null = null
  #isEnded = false
  #fault: Error | null = null
  #isOverrun = false
  #wake: () => void = () => undefined

  push(changes: readonly Change[]): void {
    for (const change of changes) {
      if (this.#isOverrun) return
      this.#changes.delete(change.conversationId)
      if (this.#changes.size >= WAITING) this.#isOverrun = true
      else this.#changes.set(change.conversationId, change)
    }
    this.#wake()
  }

  offer(tally: InboxTally): void {
    if (!this.wantsCounts) return
    this.#tally = tally
    this.#wake()
  }

  end(fault: Error | null): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#fault = fault
    this.#wake()
  }

  async *batches(): AsyncGenerator<InboxBatch, void, undefined> {
    while (!this.#isEnded) {
      const batch = { changes: [...this.#changes.values()], tally: this.#tally }
      this.#changes = new Map()
      this.#tally = null
      if (batch.changes.length > 0 || batch.tally !== null) yield batch
      if (this.#changes.size > 0 || this.#tally !== null) continue
      if (this.#isOverrun) {
        throw new StreamEndedError('Conversations changed faster than they were read: resume after the last update')
      }
      if (this.#isEnded) break
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    if (this.#fault !== null) throw this.#fault
  }
}
