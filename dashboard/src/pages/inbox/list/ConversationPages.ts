import { type CombinedError, createRequest } from '@urql/core'
import type { Api } from '../../../api/client.ts'
import type { ConversationFilter, ConversationRowFragment } from '../../../generated/documents.ts'
import { ConversationPage } from '../documents.ts'

export type Row = ConversationRowFragment

/** A list as far as it has been loaded. */
export interface Snapshot {
  /** Latest activity first; also those that have left the list since they were loaded. */
  readonly rows: readonly Row[]
  readonly hasMore: boolean
  /** Nothing is known yet. */
  readonly isLoading: boolean
  readonly error: CombinedError | undefined
}

interface Page {
  readonly rows: readonly Row[]
  readonly hasNextPage: boolean
  readonly endCursor: string | null
  readonly stop: () => void
}

export const PAGE_SIZE = 50
const NOTHING: Snapshot = { rows: [], hasMore: false, isLoading: true, error: undefined }

/**
 * A list of conversations, page by page. Each page is a query of its own that stays subscribed: a change of one
 * conversation reads its page again, not the ten thousand others.
 */
export class ConversationPages {
  readonly #api: Api
  readonly #filter: ConversationFilter
  readonly #listeners = new Set<() => void>()
  #stopListening = () => {}
  #pages: Page[] = []
  #loading: number | null = null
  #snapshot = NOTHING

  constructor(api: Api, filter: ConversationFilter) {
    this.#api = api
    this.#filter = filter
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    if (this.#listeners.size === 1) this.#start()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.#stop()
    }
  }

  readonly snapshot = (): Snapshot => this.#snapshot

  /** Loads the next page, unless it is already on its way. */
  readonly loadMore = (): void => {
    if (this.#loading === null && this.#pages.at(-1)?.hasNextPage) this.#load(this.#pages.length)
  }

  /** After a failure, from where it failed. */
  readonly retry = (): void => {
    this.#load(this.#pages.length)
  }

  #start(): void {
    this.#load(0)
    this.#stopListening = this.#api.inboxFresh.listen(() => this.#readAgain())
  }

  #stop(): void {
    this.#stopListening()
    this.#cut(0)
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
    const variables = this.#variables(index)
    const requestPolicy = index === 0 ? 'cache-and-network' : 'cache-first'
    const query = this.#api.client.query(ConversationPage, variables, { requestPolicy })
    const { unsubscribe } = query.subscribe(({ data, error }) => {
      if (this.#loading === index) this.#loading = null
      if (data == null) {
        if (error !== undefined) this.#publish(error)
        return
      }
      const { edges, pageInfo } = data.conversations
      const before = this.#pages[index]
      const rows = edges.map(({ node }) => node)
      this.#pages[index] = { rows, ...pageInfo, stop: () => unsubscribe() }
      // The first page has come again from the server: what was loaded after its old end may not follow on the new one.
      if (index === 0 && before !== undefined && before.endCursor !== pageInfo.endCursor) this.#cut(1)
      this.#publish(undefined)
    })
  }

  /** Forgets pages from an index on. */
  #cut(from: number): void {
    for (const page of this.#pages.splice(from)) page.stop()
    this.#loading = null
  }

  #publish(error: CombinedError | undefined): void {
    const rows = inOrder(this.#pages.flatMap((page) => page.rows))
    const hasMore = this.#pages.at(-1)?.hasNextPage ?? false
    this.#snapshot = { rows, hasMore, isLoading: this.#pages.length === 0 && error === undefined, error }
    for (const listener of this.#listeners) listener()
  }
}

/** Latest activity first, each once: a conversation that became active stands in its old page and in the first one. */
function inOrder(rows: readonly Row[]): Row[] {
  const unique = [...new Map(rows.map((row) => [row.id, row])).values()]
  return unique.sort(byActivity)
}

/** ISO times in UTC compare as text. */
function byActivity(a: Row, b: Row): number {
  if (a.lastActivityAt !== b.lastActivityAt) return a.lastActivityAt < b.lastActivityAt ? 1 : -1
  return a.id < b.id ? 1 : -1
}
