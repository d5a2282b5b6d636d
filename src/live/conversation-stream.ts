import { z } from 'zod'
import { type ConversationWithPeople, getConversation, WITH_PEOPLE } from '../domain/conversations/conversations.ts'
import { cursorAt, type LoggedEvent, type LogPosition, positionOf } from '../domain/events/event-position.ts'
import type { EventType } from '../domain/events/events.ts'
import { followTyping, type TypingSignal } from '../domain/messages/typing.ts'
import type { Actor } from '../domain/shared/actor.ts'
import { visibleConversations } from '../domain/shared/authorization.ts'
import type { Deps } from '../domain/shared/deps.ts'
import { DomainError } from '../domain/shared/errors.ts'
import { decodeCursor, encodeCursor } from '../domain/shared/pagination.ts'
import type { Message } from '../generated/prisma/client.ts'
import type { MessageType } from '../generated/prisma/enums.ts'
import type { EventLog, LogBatch } from './event-log.ts'
import { mergeAsyncIterables } from './merge-async-iterables.ts'

/** One thing that a conversation's open pane learns. */
export type ConversationItem =
  | { readonly kind: 'message'; readonly message: Message; readonly cursor: string }
  | { readonly kind: 'conversation'; readonly conversation: ConversationWithPeople; readonly cursor: string }
  | ({ readonly kind: 'typing' } & TypingSignal)

/** What open panes follow. */
export interface ConversationStreams {
  /**
   * One conversation, live: first itself as it is now, then its new messages, its changes and who is typing. With
   * `after`, first everything since that cursor, each message once, and its latest state. Ends when the conversation is
   * deleted, and when `signal` is aborted; with an error when it is aborted with a DomainError.
   * @throws NotFoundError, ValidationError for a malformed cursor. While it runs: StreamEndedError when the reader falls
   * behind
   */
  follow(
    actor: Actor,
    conversation: { id: string; after?: string | null },
    signal: AbortSignal,
  ): Promise<AsyncGenerator<ConversationItem, void, undefined>>
  close(): void
}

/** A deletion leaves no event behind. */
const LOOK_MS = 1000

/** How many messages are read at once. */
const PAGE = 200

/**
 * Changes are found by their place in the log, messages by their sequence, which a page of them is read by.
 */
interface StreamPosition {
  readonly position: LogPosition
  readonly sequence: number
}

const Cursor = z.tuple([z.string().regex(/^\d{1,19}$/), z.string().regex(/^\d{1,18}$/), z.int32().min(0)])

function decodePosition(cursor: string): StreamPosition {
  const [xid, seq, sequence] = decodeCursor(cursor, Cursor, 'after')
  return { position: { xid: BigInt(xid), seq: BigInt(seq) }, sequence }
}

function encodePosition({ position: { xid, seq }, sequence }: StreamPosition): string {
  return encodeCursor([String(xid), String(seq), sequence])
}

export function openConversationStreams(deps: Deps, events: EventLog): ConversationStreams {
  const deletions = watchDeletions(deps)
  // A node's tailer hands the same events to all who follow a conversation: what one stands for is read once, not once for
  // each. Only what was read after the event: an older answer may not have its message yet.
  const pages = new WeakMap<LoggedEvent, Map<string, Promise<Message[]>>>()
  const conversations = new WeakMap<LoggedEvent, Promise<ConversationWithPeople | null>>()

  function messagesAfter(event: LoggedEvent, id: string, sequence: number, withNotes: boolean): Promise<Message[]> {
    const read = pages.get(event) ?? new Map<string, Promise<Message[]>>()
    pages.set(event, read)
    const key = `${sequence} ${withNotes}`
    const types = withNotes ? {} : { type: { notIn: ['NOTE', 'SYSTEM'] satisfies MessageType[] } }
    const where = { conversationId: id, sequence: { gt: sequence }, ...types }
    const page = read.get(key) ?? deps.db.prisma.message.findMany({ where, orderBy: { sequence: 'asc' }, take: PAGE })
    read.set(key, page)
    return page
  }

  function conversationAt(event: LoggedEvent, actor: Actor, id: string): Promise<ConversationWithPeople | null> {
    const found = conversations.get(event) ?? findConversation(deps, actor, id)
    conversations.set(event, found)
    return found
  }

  async function* logged(
    actor: Actor,
    id: string,
    from: StreamPosition | null,
    batches: AsyncGenerator<LogBatch, void, undefined>,
  ): AsyncGenerator<ConversationItem, void, undefined> {
    let current = from
    for await (const { events: batch, cursor } of batches) {
      const position = positionOf(cursor)
      if (current === null) {
        const conversation = await findConversation(deps, actor, id)
        if (conversation === null) return
        current = { position, sequence: conversation.messageCount }
        yield { kind: 'conversation', conversation, cursor: encodePosition(current) }
      }
      const change = batch.findLast(({ type }) => !MESSAGES.includes(type))
      const written = batch.findLast(({ type }) => MESSAGES.includes(type))
      let isMore = written !== undefined
      while (isMore && written !== undefined) {
        const page: Message[] = await messagesAfter(written, id, current.sequence, actor.type !== 'visitor')
        isMore = page.length === PAGE
        for (const [i, message] of page.entries()) {
          // With the last one, all that the batch stands for has come.
          const isLast = change === undefined && !isMore && i === page.length - 1
          current = { position: isLast ? position : current.position, sequence: message.sequence }
          yield { kind: 'message', message, cursor: encodePosition(current) }
        }
      }
      current = { ...current, position }
      if (change === undefined) continue
      const conversation = await conversationAt(change, actor, id)
      if (conversation === null) return
      yield { kind: 'conversation', conversation, cursor: encodePosition(current) }
    }
  }

  return {
    async follow(actor, { id, after }, signal) {
      await getConversation(deps, actor, id)
      const { workspaceId } = actor
      const from = after == null ? null : decodePosition(after)
      const gone = new AbortController()
      const ended = AbortSignal.any([signal, gone.signal])
      const since = from === null ? null : cursorAt(from.position)
      const batches = events.batches(workspaceId, { after: since, conversationId: id, types: TYPES }, ended)
      return (async function* () {
        const unwatch = deletions.watch(id, () => gone.abort())
        try {
          yield* mergeAsyncIterables<ConversationItem>(
            logged(actor, id, from, batches),
            typed(followTyping(deps, { workspaceId, conversationId: id }, ended)),
          )
          // Aborted, the signals of typing may have ended before the log could fail.
          if (signal.reason instanceof DomainError) throw signal.reason
        } finally {
          gone.abort()
          unwatch()
        }
      })()
    },
    close: () => deletions.close(),
  }
}

const MESSAGES: readonly string[] = ['message.created', 'note.created'] satisfies EventType[]
const CHANGES: readonly string[] = [
  'conversation.created',
  'conversation.updated',
  'conversation.assigned',
  'conversation.closed',
] satisfies EventType[]
const TYPES = [...MESSAGES, ...CHANGES]

function findConversation({ db }: Deps, actor: Actor, id: string): Promise<ConversationWithPeople | null> {
  return db.prisma.conversation.findFirst({ where: { id, ...visibleConversations(actor) }, include: WITH_PEOPLE })
}

async function* typed(
  signals: AsyncGenerator<TypingSignal, void, undefined>,
): AsyncGenerator<ConversationItem, void, undefined> {
  for await (const signal of signals) yield { kind: 'typing', ...signal }
}

/** Tells once when a conversation is no more. However many are watched, one look a time asks for all in one statement. */
function watchDeletions({ db, log }: Deps): { watch(id: string, listener: () => void): () => void; close(): void } {
  const watched = new Map<string, Set<() => void>>()
  let timer: NodeJS.Timeout | undefined

  async function look(): Promise<void> {
    const ids = [...watched.keys()]
    const sql = 'SELECT id FROM conversations WHERE id = ANY($1::text[])'
    const left = new Set((await db.sql<{ id: string }>(sql, [ids])).map(({ id }) => id))
    for (const id of ids) if (!left.has(id)) for (const listener of watched.get(id) ?? []) listener()
  }

  function schedule(): void {
    timer = setTimeout(() => {
      look()
        .catch((error: unknown) => log.error({ err: error }, 'followed conversations not checked'))
        .finally(() => {
          if (timer !== undefined && watched.size > 0) schedule()
          else timer = undefined
        })
    }, LOOK_MS)
    timer.unref()
  }

  return {
    watch(id, listener) {
      const listeners = watched.get(id) ?? new Set()
      watched.set(id, listeners.add(listener))
      if (timer === undefined) schedule()
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0 && watched.get(id) === listeners) watched.delete(id)
      }
    },
    close() {
      clearTimeout(timer)
      timer = undefined
      watched.clear()
    },
  }
}
