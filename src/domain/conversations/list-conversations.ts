import type { z } from 'zod'
import { Prisma } from '../../infra/database/db.ts'
import type { Actor } from '../shared/actor.ts'
import { requireLevel, visibleConversations } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { parse } from '../shared/input.ts'
import { type CursorRange, type Page, type PageRequest, paginate } from '../shared/pagination.ts'
import { ConversationFilter, type Selection, selectionOf, withSearch } from './conversation-filter.ts'
import {
  BY_ACTIVITY,
  BY_CREATION,
  type ConversationOrder,
  type ConversationSort,
  type ConversationSortKey,
  currentWhere,
} from './conversation-order.ts'
import { ALL_FIELDS, type ConversationFields, type ConversationWithPeople, conversationsById } from './conversations.ts'
import { type FoundConversation, findConversations, queryRows } from './find-conversations.ts'
import { removedMembers } from './removed-members.ts'

/**
 * Conversations, newest first in the given order. A walk neither skips nor repeats one that was there when it began.
 * @param fields what is read of them
 */
export async function listConversations(
  deps: Deps,
  actor: Actor,
  filter: z.input<typeof ConversationFilter>,
  page: PageRequest,
  sort: ConversationSort = 'ACTIVITY',
  fields: ConversationFields = ALL_FIELDS,
): Promise<Page<ConversationWithPeople>> {
  requireLevel(actor, 'READ_ONLY')
  const wanted = parse(ConversationFilter, filter)
  const removed = wanted.assignee?.none === true ? await removedMembers(deps, actor.workspaceId) : []
  const selection = selectionOf(actor, wanted, removed)
  const inOrder = <CursorKey extends readonly unknown[]>(order: ConversationOrder<CursorKey>) =>
    conversationPage(page, order, {
      find: (range) => findConversations(deps, { order, selection, range: range, fields }),
      count: () => countSelected(deps, selection),
      rows: (ids) => conversationsById(deps, actor, ids),
    })
  return sort === 'ACTIVITY' ? inOrder(BY_ACTIVITY) : inOrder(BY_CREATION)
}

/** How pages of conversations are read: alone, or with those of other lists in one statement each. */
export interface ConversationReader<CursorKey> {
  find(range: CursorRange<CursorKey>): Promise<FoundConversation[]>
  /** Those that were found without their rows. */
  rows(ids: string[]): Promise<Map<string, ConversationWithPeople>>
  count(): Promise<number>
}

async function conversationPage<CursorKey extends readonly unknown[]>(
  request: PageRequest,
  { cursorKey, cursorKeyOf }: ConversationOrder<CursorKey>,
  { find, count, rows }: ConversationReader<CursorKey>,
): Promise<Page<ConversationWithPeople>> {
  const findWhole = async (range: CursorRange<CursorKey>) => {
    const found = await find(range)
    const missing = found.filter(({ row }) => row === undefined).map(({ id }) => id)
    const byId = missing.length === 0 ? undefined : await rows(missing)
    return found.map((placed): FoundConversation => {
      const row = placed.row ?? byId?.get(placed.id)
      return row === undefined ? placed : { ...placed, row }
    })
  }
  const page = await paginate<FoundConversation, CursorKey>(request, { cursorKey, cursorKeyOf, find: findWhole, count })
  // A conversation deleted between the two reads is left out.
  const present = page.rows.flatMap(({ row }, index) => (row === undefined ? [] : [{ row, index }]))
  return {
    ...page,
    rows: present.map(({ row }) => row),
    cursorOf: (index) => page.cursorOf(present.at(index)?.index ?? index),
  }
}

async function countSelected(deps: Deps, selection: Selection): Promise<number> {
  const { search } = selection
  const { found, selected } =
    search === null ? { found: Prisma.empty, selected: selection } : withSearch(selection, search)
  const [count] = await queryRows<{ total: string }>(
    deps,
    Prisma.sql`${found} SELECT count(*) AS total FROM conversations c WHERE ${currentWhere(selected)}`,
  )
  return Number(count?.total ?? 0)
}

type ActivityKey = z.output<typeof BY_ACTIVITY.cursorKey>

/** A place in a visitor's conversations, which stand in the order of their latest activity. */
export type VisitorConversationRange = CursorRange<ActivityKey>

/** A page of one visitor's conversations, newest activity first. The caller has judged who may see the visitor. */
export function visitorConversations(
  request: PageRequest,
  reader: ConversationReader<ActivityKey>,
): Promise<Page<ConversationWithPeople>> {
  return conversationPage(request, BY_ACTIVITY, reader)
}

/** The same range of many visitors' conversations in one statement. */
export async function conversationsOfVisitors(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  visitorIds: readonly string[],
  range: VisitorConversationRange,
): Promise<Map<string, ConversationSortKey[]>> {
  const { where } = selectionOf(actor, {})
  const theirs = { where: Prisma.sql`${where} AND c.visitor_id = wanted.id`, lastActivityAt: {}, search: null }
  const order = range.reverse ? Prisma.sql`ASC` : Prisma.sql`DESC`
  const rows = await db.prisma.$queryRaw<(ConversationSortKey & { visitorId: string })[]>`
    SELECT wanted.id AS "visitorId", page.* FROM unnest(${[...visitorIds]}::text[]) AS wanted(id)
     CROSS JOIN LATERAL (${BY_ACTIVITY.positions(theirs, range)}) page
     ORDER BY page.position ${order}, page.id ${order}`
  return Map.groupBy(rows, ({ visitorId }) => visitorId)
}

/** How many conversations each visitor has that the actor may see; visitors without one are left out. */
export async function countConversationsOfVisitors(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  visitorIds: readonly string[],
): Promise<Map<string, number>> {
  const where = { ...visibleConversations(actor), visitorId: { in: [...visitorIds] } }
  const counts = await db.prisma.conversation.groupBy({ by: ['visitorId'], where, _count: true })
  return new Map(counts.map(({ visitorId, _count }) => [visitorId, _count]))
}
