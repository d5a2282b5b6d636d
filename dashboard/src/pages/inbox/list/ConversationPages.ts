import { type CombinedError, createRequest, stringifyVariables } from '@urql/core'
import type { Api } from '../../../api/client.ts'
import { ConversationPage } from '../../../conversations/documents.ts'
import { followList } from '../../../conversations/inbox.ts'
import type { Row } from '../../../conversations/views.ts'
import type { ConversationFilter, ListFeedSubscription } from '../../../generated/documents.ts'
import type { Inbox } from '../../../viewer/workspace.ts'

/** A list as far as it has been loaded. */
export interface Snapshot {
  /** Latest activity first; also those that have left the list since they were loaded. */
  readonly rows: readonly Row[]
  /** The ids of those that have left, and perhaps of others. */
  readonly left: ReadonlySet<string>
  readonly hasMore: boolean
  /** Nothing is known yet. */
  readonly isLoading: boolean
  readonly error: CombinedError | undefined
}

interface Page {
  readonly rows: readonly Row[]
  readonly hasNextPage: boolean
  readonly endCursor: string | null
  /** Ends its query; undefined while it rests. */
  stop: (() => void) | undefined
}

export const PAGE_SIZE = 50
/** How many ids of conversations that are not in the list are kept. */
const MOST_LEFT = 1000
const NOTHING: Snapshot = { rows: [], left: new Set(), hasMore: false, isLoading: true, error: undefined }

/**
 * A list of conversations, page by page, each a query of its own. The first page and those in sight stay subscribed to the
 * cache; the others rest, since a change of somebody who is in many rows would have them all read again.
 */
export class ConversationPages {
  readonly #api: Api
  readonly #inbox: Inbox
  readonly #filter: ConversationFilter
  readonly #listeners = new Set<() => void>()
  #pages: Page[] = []
  #pageOf = new Map<string, number>()
  #loading: number | null = null
  #snapshot = NOTHING
  #isScheduled = false
  /** What the feed has said last about those that are not of the list. */
  #left: ReadonlySet<string> = new Set()
  /** What had left when the list was looked at before. It counts until the first page has been read again. */
  #leftBefore: ReadonlySet<string> = new Set()
  /** Where the feed begins: from before the first page was read. */
  #cursor: string | null = null
  #unfollow: (() => void) | undefined

  constructor(api: Api, inbox: Inbox, filter: ConversationFilter) {
    this.#api = api
    this.#inbox = inbox
    this.#filter = filter
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    if (this.#listeners.size === 1) this.#start()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.#end()
    }
  }

  readonly snapshot = (): Snapshot => this.#snapshot

  /** Loads the next page, unless it is already on its way. */
  readonly loadMore = (): void => {
    if (this.#loading === null && this.#pages.at(-1)?.hasNextPage) this.#load(this.#pages.length)
  }

  /** After a failure, from where it failed. */
  readonly retry = (): void => this.#load(this.#pages.length)

  /** Says which rows are in sight: their pages wake up, all others but the first rest. */
  readonly see = (ids: readonly string[]): void => {
    const seen = new Set(ids.flatMap((id) => this.#pageOf.get(id) ?? []))
    for (const [index, page] of this.#pages.entries()) {
      const isAwake = page.stop !== undefined
      const shallBe = index === 0 || seen.has(index)
      if (isAwake && !shallBe) {
        page.stop?.()
        page.stop = undefined
      }
      if (!isAwake && shallBe) this.#query(index, 'cache-first')
    }
  }

  #start(): void {
    this.#cursor = this.#inbox.cursor()
    this.#leftBefore = this.#inbox.left.get(this.#key()) ?? new Set()
    this.#load(0)
  }

  #end(): void {
    this.#unfollow?.()
    this.#unfollow = undefined
    // What is typed into the search field seldom comes again.
    if (this.#filter.text == null) this.#inbox.left.set(this.#key(), this.#left)
    this.#left = new Set()
    this.#cut(0)
  }

  #key(): string {
    return stringifyVariables(this.#filter)
  }

  /** Once the first page is there, into which the cache puts what enters. */
  #follow(): void {
    this.#unfollow ??= followList(this.#api.client, {
      filter: this.#filter,
      after: this.#cursor,
      onUpdate: (update) => this.#apply(update),
      onFresh: () => this.#readAgain(),
    })
  }

  #apply({ conversations, removedIds }: ListFeedSubscription['inbox']): void {
    if (conversations.length === 0 && removedIds.length === 0) return
    const left = new Set([...this.#left, ...removedIds])
    for (const { id } of conversations) left.delete(id)
    // A page that is on its way may have been read before they left.
    const isPruned = left.size > MOST_LEFT && this.#loading === null
    this.#left = isPruned ? new Set([...left].filter((id) => this.#pageOf.has(id))) : left
    this.#schedule()
  }

  /** The first page from the server; it comes to whoever is subscribed to it. */
  #readAgain(): void {
    const { client } = this.#api
    const request = createRequest(ConversationPage, this.#variables(0))
    client.reexecuteOperation(client.createRequestOperation('query', request, { requestPolicy: 'network-only' }))
  }

  #variables(index: number) {
    return { filter: this.#filter, first: PAGE_SIZE, after: this.#pages[index - 1]?.endCursor ?? null }
  }

  #load(index: number): void {
    this.#loading = index
    this.#query(index, index === 0 ? 'cache-and-network' : 'cache-first')
  }

  #query(index: number, requestPolicy: 'cache-and-network' | 'cache-first'): void {
    const query = this.#api.client.query(ConversationPage, this.#variables(index), { requestPolicy })
    const stop = () => unsubscribe()
    const { unsubscribe } = query.subscribe(({ data, error, stale }) => {
      if (this.#loading === index) this.#loading = null
      if (data?.conversations == null) {
        if (error !== undefined) this.#publish(error)
        return
      }
      const { edges, pageInfo } = data.conversations
      const before = this.#pages[index]
      this.#pages[index] = { rows: edges.map(({ node }) => node), ...pageInfo, stop }
      // The first page has come again from the server: what was loaded after its old end may not follow on the new one.
      if (index === 0 && before !== undefined && before.endCursor !== pageInfo.endCursor) this.#cut(1)
      if (index === 0 && !stale) {
        this.#leftBefore = new Set()
        this.#follow()
      }
      this.#schedule()
    })
  }

  /** Forgets pages from an index on. */
  #cut(from: number): void {
    for (const page of this.#pages.splice(from)) page.stop?.()
    this.#loading = null
  }

  /** One change may reach several pages: they are put together once. */
  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      if (this.#pages.length > 0) this.#publish(undefined)
    })
  }

  #publish(error: CombinedError | undefined): void {
    const { rows, pageOf } = inOrder(this.#pages)
    this.#pageOf = pageOf
    const hasMore = this.#pages.at(-1)?.hasNextPage ?? false
    const left = this.#leftBefore.size === 0 ? this.#left : new Set([...this.#leftBefore, ...this.#left])
    this.#snapshot = { rows, left, hasMore, isLoading: this.#pages.length === 0 && error === undefined, error }
    for (const listener of this.#listeners) listener()
  }
}

/**
 * Latest activity first, each once. A conversation that became active stands in the first page and in its old one, which
 * may rest and know it as it was: the first one counts.
 */
function inOrder(pages: readonly Page[]): { rows: Row[]; pageOf: Map<string, number> } {
  const rows: Row[] = []
  const pageOf = new Map<string, number>()
  let isInOrder = true
  for (const [index, page] of pages.entries()) {
    for (const row of page.rows) {
      if (pageOf.has(row.id)) continue
      pageOf.set(row.id, index)
      const above = rows.at(-1)
      if (above !== undefined && byActivity(above, row) > 0) isInOrder = false
      rows.push(row)
    }
  }
  return { rows: isInOrder ? rows : rows.sort(byActivity), pageOf }
}

/** ISO times in UTC compare as text. */
function byActivity(a: Row, b: Row): number {
  if (a.lastActivityAt !== b.lastActivityAt) return a.lastActivityAt < b.lastActivityAt ? 1 : -1
  return a.id < b.id ? 1 : -1
}
