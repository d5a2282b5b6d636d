import { Prisma } from '../../infra/database/db.ts'
import type { Deps } from '../shared/deps.ts'
import type { CursorRange } from '../shared/pagination.ts'
import { type Selection, withSearch } from './conversation-filter.ts'
import type { ConversationOrder, ConversationSortKey } from './conversation-order.ts'
import {
  type ConversationFields,
  type ConversationWithPeople,
  conversationOf,
  selectConversations,
} from './conversations.ts'
import { isFoundBy, type Search } from './search.ts'

/** The number of conversations, and of their messages, that are scanned before the indexes are used. */
const CANDIDATES = 100
const MESSAGES = 1000

/** The position of a conversation, and the conversation itself if it was read with it. */
export interface FoundConversation extends ConversationSortKey {
  readonly row?: ConversationWithPeople
}

/** The part of a list to find, and the fields to read. */
export interface ConversationQuery<CursorKey extends readonly unknown[]> {
  readonly order: ConversationOrder<CursorKey>
  readonly selection: Selection
  readonly range: CursorRange<CursorKey>
  readonly fields: ConversationFields
}

/** A range of the selected conversations; of a search, without their rows. */
export async function findConversations<CursorKey extends readonly unknown[]>(
  deps: Pick<Deps, 'db'>,
  { order, selection, range, fields }: ConversationQuery<CursorKey>,
): Promise<FoundConversation[]> {
  const { search } = selection
  if (search !== null) return findPositions(deps, order, { ...selection, search }, range)
  const positions = order.positions(selection, range)
  const { columns, joins } = selectConversations(fields)
  const direction = range.reverse ? 'ASC' : 'DESC'
  const rows = await deps.db.values(
    `SELECT page.id, page.position, page.snapshot, ${columns}
       FROM (${positions.text}) page JOIN conversations c ON c.id = page.id ${joins}
      ORDER BY page.position ${direction}, page.id ${direction}`,
    positions.values,
  )
  return rows.map((row) => {
    const [id, position, snapshot] = row as [string, Date, string | null]
    return { id, position, snapshot, row: conversationOf(row, fields, 3) }
  })
}

/**
 * The positions of the conversations in a range that match a search.
 *
 * There are two ways to search. Frequent words are found by scanning the first conversations of the range, instead of
 * the hundreds of thousands of rows in the index. Rare words are found by the index, after a bounded scan without
 * success.
 */
async function findPositions<CursorKey extends readonly unknown[]>(
  deps: Pick<Deps, 'db'>,
  order: ConversationOrder<CursorKey>,
  selection: Selection & { search: Search },
  range: CursorRange<CursorKey>,
): Promise<ConversationSortKey[]> {
  const first = await scanCandidates(deps, order, selection, range)
  if (first !== null) return first
  const { found, selected } = withSearch(selection, selection.search)
  const direction = range.reverse ? Prisma.sql`ASC` : Prisma.sql`DESC`
  return queryRows(
    deps,
    Prisma.sql`${found} SELECT * FROM (${order.positions(selected, range)}) page ORDER BY position ${direction}, id ${direction}`,
  )
}

/** @returns null when the scan has reached its limit */
async function scanCandidates<CursorKey extends readonly unknown[]>(
  deps: Pick<Deps, 'db'>,
  order: ConversationOrder<CursorKey>,
  { search, ...selection }: Selection & { search: Search },
  range: CursorRange<CursorKey>,
): Promise<ConversationSortKey[] | null> {
  const candidates = order.positions({ ...selection, search: null }, { ...range, take: CANDIDATES })
  const direction = range.reverse ? Prisma.sql`ASC` : Prisma.sql`DESC`
  const rows = await queryRows<ConversationSortKey & { isFound: boolean | null }>(
    deps,
    Prisma.sql`
      WITH candidate AS MATERIALIZED (${candidates}), c AS MATERIALIZED (
        SELECT conversation.id, workspace_id, visitor_id, subject, position, snapshot,
               sum(message_count) OVER (ORDER BY position ${direction}, conversation.id ${direction}) AS messages
          FROM candidate JOIN conversations conversation ON conversation.id = candidate.id
      )
      SELECT id, position, snapshot, CASE WHEN messages <= ${MESSAGES} THEN ${isFoundBy(search)} END AS "isFound"
        FROM c ORDER BY position ${direction}, id ${direction}`,
  )
  const unread = rows.findIndex(({ isFound }) => isFound === null)
  const read = unread === -1 ? rows : rows.slice(0, unread)
  const found = read.filter(({ isFound }) => isFound).slice(0, range.take)
  const isAll = rows.length < CANDIDATES && unread === -1
  return isAll || found.length === range.take ? found : null
}

/** Plain SQL: Prisma's rows take several times as much CPU time. */
export function queryRows<Row extends object = ConversationSortKey>(
  { db }: Pick<Deps, 'db'>,
  { text, values }: Prisma.Sql,
): Promise<Row[]> {
  return db.sql<Row>(text, values)
}
