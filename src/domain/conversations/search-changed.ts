import type { Deps } from '../shared/deps.ts'
import { type Search, TEXTS } from './search.ts'

/** What searches have found among changed conversations. */
export interface SearchedChanges {
  /** The ids of the conversations that it has found. */
  foundBy(search: Search): ReadonlySet<string>
}

/** How many conversations are remembered. */
const REMEMBERED = 5000

/** What is known of a conversation's messages. They never change, so only new ones are read. */
interface SearchedMessages {
  /** The sequence of the last one that has been read. */
  readonly upTo: number
  /** The searches that have read them: the first ones of this number. */
  readonly searches: number
  /** The numbers of those that found one. */
  readonly found: readonly number[]
}

/**
 * The searches of a workspace that are asked about its conversations again and again. What they found in messages is remembered
 * for the conversations that changed last, so that a long conversation is not read again for each of its messages.
 */
export class ChangeSearcher {
  readonly #deps: Pick<Deps, 'db'>
  readonly #workspaceId: string
  /** In the order in which they came; the number of each is its place among all that ever came. */
  readonly #searches = new Map<Search, { readonly number: number } & SearchQuery>()
  #count = 0
  readonly #messages = new Map<string, SearchedMessages>()

  constructor(deps: Pick<Deps, 'db'>, workspaceId: string) {
    this.#deps = deps
    this.#workspaceId = workspaceId
  }

  /** A search that will be asked about. The database makes its words a query, once. */
  async add(search: Search): Promise<void> {
    if (this.#searches.has(search)) return
    const [row] = await this.#deps.db.sql<SearchQuery>(QUERY, [search.workspaceId, search.words])
    if (this.#searches.has(search)) return
    this.#count++
    this.#searches.set(search, { number: this.#count, query: row?.query ?? null, word: row?.word ?? null })
  }

  remove(search: Search): void {
    this.#searches.delete(search)
  }

  /** One statement for all searches together: each text of the conversations becomes words once. None without searches. */
  async search(ids: readonly string[]): Promise<SearchedChanges> {
    const searches = [...this.#searches].map(([search, known]) => ({ search, ...known }))
    const found = new Map(searches.map(({ search }) => [search, new Set<string>()]))
    if (searches.length > 0 && ids.length > 0) {
      const newest = searches.at(-1)?.number ?? 0
      const known = ids.map((id) => this.#known(id, newest))
      const rows = await this.#deps.db.prepared<FoundRow>(SEARCH, [
        this.#workspaceId,
        ids,
        known.map((messages) => messages?.upTo ?? 0),
        searches.map(({ query }) => query),
        searches.map(({ search }) => search.inNotes),
        searches.map(({ word }) => word),
      ])
      const before = new Map(ids.map((id, index) => [id, known[index]?.found ?? []]))
      for (const { id, messageCount, inMessages, elsewhere } of rows) {
        const numbers = new Set(before.get(id))
        for (const n of inMessages) {
          const number = searches[n - 1]?.number
          if (number !== undefined) numbers.add(number)
        }
        this.#remember(id, { upTo: messageCount, searches: newest, found: [...numbers] })
        const others = new Set(elsewhere)
        for (const [index, { search, number }] of searches.entries()) {
          if (numbers.has(number) || others.has(index + 1)) found.get(search)?.add(id)
        }
      }
    }
    return { foundBy: (search) => found.get(search) ?? new Set() }
  }

  /** Undefined: some of the searches have not read its messages. */
  #known(id: string, newest: number): SearchedMessages | undefined {
    const messages = this.#messages.get(id)
    return messages !== undefined && messages.searches >= newest ? messages : undefined
  }

  #remember(id: string, messages: SearchedMessages): void {
    this.#messages.delete(id)
    this.#messages.set(id, messages)
    const [oldest] = this.#messages.keys()
    if (this.#messages.size > REMEMBERED && oldest !== undefined) this.#messages.delete(oldest)
  }
}

/** What the database makes of a search. */
interface SearchQuery {
  /** Null: it finds nothing. */
  readonly query: string | null
  /** A whole word that a text must have; null: the search is for the beginning of one word. */
  readonly word: string | null
}

/** $1 workspace, $2 words. The longest word is in the fewest texts. */
const QUERY = `
  SELECT search_query($1, $2::text[])::text AS query,
         (SELECT lexeme FROM unnest(tsvector_to_array(to_tsvector('simple'::regconfig,
                   search_text(array_to_string(($2::text[])[:cardinality($2::text[]) - 1], ' '))))) AS lexeme
           ORDER BY length(lexeme) DESC LIMIT 1) AS word`

interface FoundRow {
  readonly id: string
  readonly messageCount: number
  /** The places of the searches that found something in messages, from 1. */
  readonly inMessages: readonly number[]
  /** Those that found something in the subject or the visitor. */
  readonly elsewhere: readonly number[]
}

/** $1 workspace; $2 conversations, and $3 the last message of each that is not read; $4 queries, $5 whether they read notes, $6 their words. */
const SEARCH = {
  name: 'search_changed',
  text: `
  WITH changed AS MATERIALIZED (
    SELECT c.id, c.workspace_id, c.visitor_id, c.subject, c.message_count, wanted.searched
      FROM unnest($2::text[], $3::int[]) AS wanted(id, searched)
      JOIN conversations c ON c.id = wanted.id AND c.workspace_id = $1
  ), texts AS MATERIALIZED (
    SELECT c.id, ${TEXTS.subject} AS words, false AS is_message, false AS is_note FROM changed c
    UNION ALL
    SELECT c.id, ${TEXTS.visitor}, false, false FROM changed c JOIN visitors v ON v.id = c.visitor_id
    UNION ALL
    SELECT c.id, ${TEXTS.message}, true, NOT ${TEXTS.isForVisitors}
      FROM changed c JOIN messages m ON m.conversation_id = c.id AND m.sequence > c.searched
  ), searches AS MATERIALIZED (
    SELECT query::tsquery, in_notes, word, n::int
      FROM unnest($4::text[], $5::boolean[], $6::text[]) WITH ORDINALITY AS search(query, in_notes, word, n)
  ), tried AS (
    SELECT texts.*, search.n, search.query, search.in_notes FROM texts JOIN searches search ON search.word IS NULL
    UNION ALL
    SELECT texts.*, search.n, search.query, search.in_notes
      FROM texts CROSS JOIN LATERAL unnest(tsvector_to_array(texts.words)) AS lexeme
      JOIN searches search ON search.word = lexeme
     WHERE lexeme = ANY($6::text[])
  ), found AS (
    SELECT id, n, bool_or(is_message) AS in_messages FROM tried
     WHERE words @@ query AND (in_notes OR NOT is_note) GROUP BY id, n
  )
  SELECT changed.id, changed.message_count AS "messageCount",
         COALESCE(array_agg(found.n) FILTER (WHERE found.in_messages), '{}') AS "inMessages",
         COALESCE(array_agg(found.n) FILTER (WHERE NOT found.in_messages), '{}') AS elsewhere
    FROM changed LEFT JOIN found USING (id) GROUP BY changed.id, changed.message_count`,
} as const
