import type { ChangeFilter } from '../domain/conversations/changed-conversations.ts'
import { type InboxTally, tallyInbox } from '../domain/conversations/inbox-counts.ts'
import { subjectOf } from '../domain/events/changed-subjects.ts'
import { type LogPosition, positionOf } from '../domain/events/event-position.ts'
import type { Deps } from '../domain/shared/deps.ts'
import type { EventLog } from './event-log.ts'
import { type InboxSubscriberBuffer, WAITING } from './inbox-buffer.ts'
import { InboxJudge } from './inbox-judge.ts'
import { StreamEndedError } from './log-tailer.ts'
import { PendingChanges } from './pending-changes.ts'

/** The time between two updates, in milliseconds. */
const WINDOW_MS = 250
/** The time between two counts, in milliseconds. */
const TALLY_MS = 1000
/** How many conversations and visitors wait to be judged: half a minute's work. */
const MOST_PENDING = 100_000

/** Gathers what changed in one workspace, and hands it to every subscriber once per window. */
export class InboxTailer {
  readonly #deps: Deps
  readonly #workspaceId: string
  readonly #forget: () => void
  readonly #judge: InboxJudge
  /** With the filter that each has its changes judged by. */
  readonly #subscribers = new Map<InboxSubscriberBuffer, ChangeFilter>()
  /** Those on their way here, too. */
  #followers = 0
  readonly #controller = new AbortController()
  readonly #pending: PendingChanges
  readonly #began = Promise.withResolvers<void>()
  /** Everything up to here has been handed over. */
  #handed: LogPosition = { xid: 0n, seq: 0n }
  /** Something of what is up to here has been handed over: more than #handed in the middle of a visitor's conversations. */
  #touched: LogPosition = this.#handed
  /** Why it has ended. */
  #fault: Error | null = null
  #timer: NodeJS.Timeout | undefined
  #handing: Promise<void> | null = null
  /** The latest count, or the one under way. */
  #tally: { readonly began: number; readonly found: Promise<InboxTally>; isStale: boolean } | null = null
  #tallyTimer: NodeJS.Timeout | undefined

  constructor(deps: Deps, events: EventLog, workspaceId: string, forget: () => void) {
    this.#deps = deps
    this.#workspaceId = workspaceId
    this.#forget = forget
    this.#judge = new InboxJudge(deps, workspaceId)
    this.#pending = new PendingChanges(deps, workspaceId)
    // Without readers nobody waits for it.
    this.#began.promise.catch(() => undefined)
    void this.#gather(events)
  }

  /**
   * Adds a subscriber, which `detach` must end, also when this fails.
   * @returns where its live changes begin, and the filter by which they say whether they match
   */
  async attach(
    subscriber: InboxSubscriberBuffer,
    filter: ChangeFilter,
  ): Promise<{ start: LogPosition; filter: ChangeFilter }> {
    this.#followers++
    const shared = await this.#judge.add(filter)
    await this.#began.promise
    // What is being handed over is not judged by this filter.
    while (this.#handing !== null) await this.#handing
    if (this.#fault !== null) throw this.#fault
    this.#subscribers.set(subscriber, shared)
    return { start: this.#touched, filter: shared }
  }

  detach(subscriber: InboxSubscriberBuffer, filter: ChangeFilter): void {
    this.#followers--
    this.#judge.remove(filter)
    this.#subscribers.delete(subscriber)
    if (this.#followers === 0) this.close()
  }

  close(fault: Error = new StreamEndedError('The server is stopping: resume after the last update')): void {
    this.#forget()
    this.#fault ??= fault
    clearTimeout(this.#timer)
    clearTimeout(this.#tallyTimer)
    this.#controller.abort()
    this.#began.reject(fault)
    for (const subscriber of this.#subscribers.keys()) subscriber.end(fault)
    this.#subscribers.clear()
  }

  async #gather(events: EventLog): Promise<void> {
    try {
      let isFirst = true
      for await (const batch of events.batches(this.#workspaceId, {}, this.#controller.signal)) {
        if (isFirst) {
          isFirst = false
          this.#handed = positionOf(batch.cursor)
          this.#touched = this.#handed
          this.#began.resolve()
        }
        for (const event of batch.events) {
          const subject = subjectOf(event)
          if (subject !== null) this.#pending.add({ ...subject, ...event.position })
        }
        if (this.#pending.size > MOST_PENDING) throw new StreamEndedError(BEHIND)
        if (this.#pending.size > 0 && this.#timer === undefined) this.#handOver()
      }
    } catch (error) {
      this.close(error instanceof StreamEndedError ? error : positionLost())
      if (!(error instanceof StreamEndedError)) {
        this.#deps.log.error({ err: error, workspaceId: this.#workspaceId }, 'inbox stream not following the event log')
      }
    }
  }

  #handOver(): void {
    this.#timer = undefined
    if (this.#handing !== null || this.#pending.size === 0) return
    this.#handing = this.#judgeAndPush()
      .catch((error: unknown) => {
        // It is all still pending.
        this.#deps.log.error({ err: error, workspaceId: this.#workspaceId }, 'changed conversations not read')
      })
      .finally(() => {
        this.#handing = null
        this.#wait()
      })
  }

  async #judgeAndPush(): Promise<void> {
    const next = await this.#pending.next(WAITING, this.#handed)
    const changes = await this.#judge.judge(next.changes, (filter, error) => this.#refuse(filter, error))
    next.done()
    this.#handed = next.upTo
    this.#touched = next.touched
    for (const subscriber of this.#subscribers.keys()) subscriber.push(changes)
    if (this.#tally !== null) this.#tally.isStale = true
    this.#countLater()
  }

  /** Ends those whose filter the database refuses to ask about some conversation. */
  #refuse(filter: ChangeFilter, error: unknown): void {
    this.#deps.log.error({ err: error, workspaceId: this.#workspaceId }, 'inbox filter refused by the database')
    for (const [subscriber, theirs] of this.#subscribers) {
      if (theirs === filter)
        subscriber.end(new StreamEndedError('The filter could not be applied: resume after the last update'))
    }
  }

  /** The workspace's counts as they are now: counted once for all who ask at once. Who asked is told when they change. */
  async tally(subscriber: InboxSubscriberBuffer): Promise<InboxTally> {
    subscriber.wantsCounts = true
    const known = this.#tally
    const found = known === null || known.isStale ? this.#count() : known.found
    const tally = await found
    // Something may have changed since it was asked for by somebody else.
    this.#countLater()
    return tally
  }

  #count(): Promise<InboxTally> {
    const found = tallyInbox(this.#deps, this.#workspaceId)
    const tally = { began: performance.now(), found, isStale: false }
    this.#tally = tally
    found.catch(() => {
      if (this.#tally === tally) this.#tally = null
    })
    return found
  }

  #countLater(): void {
    const isWanted = [...this.#subscribers.keys()].some(({ wantsCounts }) => wantsCounts)
    const { began = 0, isStale = true } = this.#tally ?? {}
    if (!isWanted || !isStale || this.#tallyTimer !== undefined || this.#controller.signal.aborted) return
    const delay = Math.max(0, began + TALLY_MS - performance.now())
    this.#tallyTimer = setTimeout(() => {
      this.#count()
        .then(
          (tally) => {
            for (const subscriber of this.#subscribers.keys()) subscriber.offer(tally)
          },
          (error: unknown) => {
            this.#deps.log.error({ err: error, workspaceId: this.#workspaceId }, 'inbox not counted')
          },
        )
        .finally(() => {
          this.#tallyTimer = undefined
          this.#countLater()
        })
    }, delay)
    this.#tallyTimer.unref()
  }

  /** The window: what changes until then goes together. */
  #wait(): void {
    if (this.#controller.signal.aborted) return
    this.#timer = setTimeout(() => this.#handOver(), WINDOW_MS)
    this.#timer.unref()
  }
}

const BEHIND = 'Conversations changed faster than they could be read: resume after the last update'

function positionLost(): StreamEndedError {
  return new StreamEndedError('The inbox lost its place: resume after the last update')
}
