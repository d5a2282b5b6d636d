import type { z } from 'zod'
import type { ConversationFilter } from '../../../src/domain/conversations/conversation-filter.ts'
import type { ConversationSort } from '../../../src/domain/conversations/conversation-order.ts'
import type { ConversationWithPeople } from '../../../src/domain/conversations/conversations.ts'
import { listConversations } from '../../../src/domain/conversations/list-conversations.ts'
import type { Actor } from '../../../src/domain/shared/actor.ts'
import type { Deps } from '../../../src/domain/shared/deps.ts'
import type { InboxUpdate } from '../../../src/live/inbox-stream.ts'
import type { Streams } from '../../../src/live/streams.ts'

export type Filter = z.input<typeof ConversationFilter>

/** What a list shows of a conversation. */
function rowOf(conversation: ConversationWithPeople) {
  const { id, status, subject, priority, tags, messageCount, createdAt, lastActivityAt, assignee, visitor } =
    conversation
  const people = { assignee: assignee?.id ?? null, visitor: [visitor.id, visitor.name, visitor.email] }
  return { id, status, subject, priority, tags, messageCount, createdAt, lastActivityAt, ...people }
}

export type Row = ReturnType<typeof rowOf>

const ORDER: Record<ConversationSort, (row: Row) => Date> = {
  ACTIVITY: ({ lastActivityAt }) => lastActivityAt,
  CREATED: ({ createdAt }) => createdAt,
}

/** All of a list, as a client reads it. */
export async function readList(deps: Deps, actor: Actor, filter: Filter, sort: ConversationSort): Promise<Row[]> {
  const rows: Row[] = []
  for (let cursor: string | null = null; ; ) {
    const page = await listConversations(deps, actor, filter, { limit: 100, cursor }, sort)
    rows.push(...page.rows.map(rowOf))
    if (page.nextCursor === null) return rows
    cursor = page.nextCursor
  }
}

/** A client that holds a list by the rule of the documentation, and can be cut off and resume. */
export class KeptList {
  readonly updates: InboxUpdate[] = []
  fault: unknown = null
  readonly #deps: Deps
  readonly #actor: Actor
  readonly filter: Filter
  readonly #sort: ConversationSort
  #rows = new Map<string, Row>()
  #cursor: string | null = null
  #controller: AbortController | null = null
  #following: Promise<void> = Promise.resolve()

  constructor(deps: Deps, actor: Actor, filter: Filter, sort: ConversationSort = 'ACTIVITY') {
    this.#deps = deps
    this.#actor = actor
    this.filter = filter
    this.#sort = sort
  }

  get isLive(): boolean {
    return this.#controller !== null
  }

  /** Begins or resumes. The first time, the list has been read when it returns. */
  async follow(streams: Streams): Promise<void> {
    const controller = new AbortController()
    this.#controller = controller
    const begun = Promise.withResolvers<void>()
    const isFirst = this.#cursor === null
    this.#following = (async () => {
      const options = { filter: this.filter, after: this.#cursor }
      for await (const update of streams.inbox.follow(this.#actor, options, controller.signal)) {
        if (controller.signal.aborted) return
        if (isFirst && this.#cursor === null) {
          for (const row of await this.fresh()) this.#rows.set(row.id, row)
        }
        this.#apply(update)
        begun.resolve()
      }
    })().catch((error: unknown) => {
      this.fault = error
      begun.reject(error)
    })
    await begun.promise
  }

  /** Cuts it off, in the middle of whatever comes. */
  async cut(): Promise<void> {
    this.#controller?.abort()
    this.#controller = null
    await this.#following
  }

  #apply(update: InboxUpdate): void {
    this.updates.push(update)
    for (const id of update.removedIds) this.#rows.delete(id)
    for (const conversation of update.conversations) this.#rows.set(conversation.id, rowOf(conversation))
    this.#cursor = update.cursor
  }

  held(): Row[] {
    const at = ORDER[this.#sort]
    return [...this.#rows.values()].sort((a, b) => at(b).getTime() - at(a).getTime() || (a.id < b.id ? 1 : -1))
  }

  fresh(): Promise<Row[]> {
    return readList(this.#deps, this.#actor, this.filter, this.#sort)
  }

  async isTrue(): Promise<boolean> {
    return JSON.stringify(this.held()) === JSON.stringify(await this.fresh())
  }
}
