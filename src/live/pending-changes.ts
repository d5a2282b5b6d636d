import { type VisitorWalk, walkConversations } from '../domain/conversations/changed-conversations.ts'
import type { ChangedSubject } from '../domain/events/changed-subjects.ts'
import type { LogPosition } from '../domain/events/event-position.ts'
import type { Deps } from '../domain/shared/deps.ts'

/** A conversation that changed, or whose visitor did. */
export interface ChangedConversation {
  readonly conversationId: string
  /** Whoever has been told this change, and those before it, knows everything up to here. */
  readonly upTo: LogPosition
}

/** The next changes of what is pending. */
export interface NextChanges {
  /** In the log's order, each conversation once. */
  readonly changes: readonly ChangedConversation[]
  /** When all of them have been told, everything up to here has. */
  readonly upTo: LogPosition
  /** The place of the last event that any of them comes from: of a visitor with many conversations, some may be missing. */
  readonly touched: LogPosition
  /** They need not be told again, unless they have changed again meanwhile. */
  done(): void
}

interface Entry extends ChangedSubject {
  /** How far a visitor's conversations have been told. */
  readonly walked: VisitorWalk['after']
}

/**
 * What has changed and was not told yet: each conversation and each visitor once, however often they changed. A visitor's
 * conversations are looked for when they are to be told, some at a time.
 */
export class PendingChanges {
  readonly #deps: Pick<Deps, 'db'>
  readonly #workspaceId: string
  /** In the order of their last events. */
  readonly #entries = new Map<string, Entry>()

  constructor(deps: Pick<Deps, 'db'>, workspaceId: string) {
    this.#deps = deps
    this.#workspaceId = workspaceId
  }

  get size(): number {
    return this.#entries.size
  }

  add(subject: ChangedSubject): void {
    this.#entries.delete(subject.id)
    this.#entries.set(subject.id, { ...subject, walked: null })
  }

  /**
   * @param limit of changes; of visitors' conversations, that many may come in addition
   * @param from everything up to here has been told
   * @param but of visitors' conversations, those that are left out
   */
  async next(
    limit: number,
    from: LogPosition,
    but: { readonly after: LogPosition; readonly upTo: LogPosition } | null = null,
  ): Promise<NextChanges> {
    const front = [...this.#entries.values().take(limit)]
    const walks = front
      .filter(({ kind }) => kind === 'visitor')
      .map(({ id, walked }) => ({ visitorId: id, after: walked }))
    const walked = walks.length === 0 ? [] : await walkConversations(this.#deps, this.#workspaceId, walks, limit, but)
    /** The visitor with whom the walk ended before it was through; undefined: it was through. */
    const cut = walked.length < limit ? undefined : walked.at(-1)
    const byVisitor = Map.groupBy(walked, ({ visitorId }) => visitorId)
    const changes = new Map<string, LogPosition>()
    const told: Entry[] = []
    let begun: { readonly entry: Entry; readonly walked: Entry['walked'] } | null = null
    let upTo: LogPosition = from
    let touched: LogPosition = from
    for (const entry of front) {
      const { kind, id } = entry
      if (changes.size >= limit && kind === 'visitor') break
      touched = entry
      if (kind === 'conversation') upTo = entry
      for (const conversation of kind === 'conversation' ? [{ id }] : (byVisitor.get(id) ?? [])) {
        if (!changes.has(conversation.id)) changes.set(conversation.id, upTo)
      }
      if (cut?.visitorId === id) {
        begun = { entry, walked: cut }
        break
      }
      upTo = entry
      told.push(entry)
    }
    const all = [...changes].map(([conversationId, position]) => ({ conversationId, upTo: position }))
    const last = all.at(-1)
    return {
      changes: last === undefined ? [] : [...all.slice(0, -1), { ...last, upTo }],
      upTo,
      touched,
      done: () => {
        for (const entry of told) if (this.#isPending(entry)) this.#entries.delete(entry.id)
        if (begun !== null && this.#isPending(begun.entry))
          this.#entries.set(begun.entry.id, { ...begun.entry, walked: begun.walked })
      },
    }
  }

  /** It has not changed again. */
  #isPending(entry: Entry): boolean {
    return this.#entries.get(entry.id) === entry
  }
}
