import type { z } from 'zod'
import { Prisma } from '../../infra/database/db.ts'
import type { Actor } from '../shared/actor.ts'
import { requireLevel, visibleConversations } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { kindOfId } from '../shared/ids.ts'
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

/**
 * Conversations, newest first in the given order. Paging neither skips nor repeats a conversation that existed at the
 * first page.
 * @param fields the fields to read
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
      count: () => (selection.isCounted ? countByChanges(deps, selection) : countSelected(deps, selection)),
      rows: (ids) => conversationsById(deps, actor, ids),
    })
  return sort === 'ACTIVITY' ? inOrder(BY_ACTIVITY) : inOrder(BY_CREATION)
}

/**
 * The members of a workspace that were removed and whose conversations still name them.
 * @returns their ids; usually none
 */
async function removedMembers({ db }: Pick<Deps, 'db'>, workspaceId: string): Promise<string[]> {
  const rows = await db.sql<{ id: string }>('SELECT id FROM removals WHERE workspace_id = $1', [workspaceId])
  return rows.map(({ id }) => id).filter((id) => kindOfId(id) === 'member')
}

/** How pages of conversations are read: alone, or with those of other lists in one statement each. */
export interface ConversationReader<CursorKey> {
  find(range: CursorRange<CursorKey>): Promise<FoundConversation[]>
  /** Positions that were found without their rows. */
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
  // A conversation that was deleted between the two reads is omitted.
  const present = page.rows.flatMap(({ row }, index) => (row === undefined ? [] : [{ row, index }]))
  return {
    ...page,
    rows: present.map(({ row }) => row),
    cursorOf: (index) => page.cursorOf(present.at(index)?.index ?? index),
  }
}

/** The same as countSelected, for conditions on status and assignee alone: it reads a few rows, whatever there is. */
async function countByChanges(deps: Deps, { where }: Selection): Promise<number> {
  const [count] = await queryRows<{ total: string }>(
    deps,
    Prisma.sql`SELECT COALESCE(sum(c.change), 0) AS total FROM conversation_counts c WHERE ${where}`,
  )
  return Number(count?.total ?? 0)
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

/** A place in the conversations of a visitor or agent, which stand in the order of their latest activity. */
export type OwnedConversationRange = CursorRange<ActivityKey>

/** A page of the conversations of one visitor or agent, newest activity first. The caller has judged who may see those. */
export function ownedConversations(
  request: PageRequest,
  reader: ConversationReader<ActivityKey>,
): Promise<Page<ConversationWithPeople>> {
  return conversationPage(request, BY_ACTIVITY, reader)
}

/** The same range for many visitors in one statement. */
export async function conversationsOfVisitors(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  visitorIds: readonly string[],
  range: OwnedConversationRange,
): Promise<Map<string, ConversationSortKey[]>> {
  const all = selectionOf(actor, {})
  const theirs = { ...all, where: Prisma.sql`${all.where} AND c.visitor_id = wanted.id` }
  const order = range.reverse ? Prisma.sql`ASC` : Prisma.sql`DESC`
  const rows = await db.prisma.$queryRaw<(ConversationSortKey & { visitorId: string })[]>`
    SELECT wanted.id AS "visitorId", page.* FROM unnest(${[...visitorIds]}::text[]) AS wanted(id)
     CROSS JOIN LATERAL (${BY_ACTIVITY.positions(theirs, range)}) page
     ORDER BY page.position ${order}, page.id ${order}`
  return Map.groupBy(rows, ({ visitorId }) => visitorId)
}

/** The number of conversations that the actor can see, by visitor; visitors without one are omitted. */
export async function countConversationsOfVisitors(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  visitorIds: readonly string[],
): Promise<Map<string, number>> {
  const where = { ...visibleConversations(actor), visitorId: { in: [...visitorIds] } }
  const counts = await db.prisma.conversation.groupBy({ by: ['visitorId'], where, _count: true })
  return new Map(counts.map(({ visitorId, _count }) => [visitorId, _count]))
}

/** Up to so many conversations of an agent are put in order themselves; of one with more, those of the workspace are walked through. */
const FEW = 500

/** The agent sent a message in conversation `c`; both columns are in the index messages_agent_sender_idx. */
const isIn = (agentId: Prisma.Sql, conversationId: Prisma.Sql) =>
  Prisma.sql`m.type <> 'VISITOR' AND m.sender_id = ${agentId} AND ${conversationId}`

/**
 * The same range of the conversations in which many agents sent a message, in one statement. An agent that is in a few
 * conversations is asked for them: one step through the index for each. One that is in many finds enough of them among the
 * latest of the workspace.
 */
export async function conversationsOfAgents(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  agentIds: readonly string[],
  range: OwnedConversationRange,
): Promise<Map<string, ConversationSortKey[]>> {
  const all = selectionOf(actor, {})
  const among = (condition: Prisma.Sql) =>
    BY_ACTIVITY.positions({ ...all, where: Prisma.sql`${all.where} AND ${condition}` }, range)
  const few = among(Prisma.sql`NOT agent.is_busy AND c.id = ANY(agent.ids)`)
  // LIMIT keeps the planner from beginning with the messages: an agent may have hundreds of thousands.
  const busy = among(Prisma.sql`agent.is_busy AND COALESCE((
    SELECT true FROM messages m WHERE ${isIn(Prisma.sql`agent.id`, Prisma.sql`m.conversation_id = c.id`)} LIMIT 1), false)`)
  const order = range.reverse ? Prisma.sql`ASC` : Prisma.sql`DESC`
  const rows = await db.prisma.$queryRaw<(ConversationSortKey & { agentId: string })[]>`
    WITH agent AS MATERIALIZED (
      SELECT wanted.id, own.ids, cardinality(own.ids) > ${FEW} AS is_busy
        FROM unnest(${[...agentIds]}::text[]) AS wanted(id)
       CROSS JOIN LATERAL (${firstConversations(Prisma.sql`wanted.id`)}) own
    )
    SELECT agent.id AS "agentId", page.* FROM agent
     CROSS JOIN LATERAL ((${few}) UNION ALL (${busy})) page
     ORDER BY page.position ${order}, page.id ${order}`
  return Map.groupBy(rows, ({ agentId }) => agentId)
}

/** The ids of an agent's conversations, by a loose scan of the index: at most one more than few. */
function firstConversations(agentId: Prisma.Sql): Prisma.Sql {
  const next = (after: Prisma.Sql) => Prisma.sql`
    SELECT min(m.conversation_id) FROM messages m WHERE ${isIn(agentId, after)}`
  return Prisma.sql`
    WITH RECURSIVE step(id, n) AS (
      SELECT (${next(Prisma.sql`true`)}), 1
      UNION ALL
      SELECT (${next(Prisma.sql`m.conversation_id > step.id`)}), step.n + 1 FROM step
       WHERE step.id IS NOT NULL AND step.n <= ${FEW}
    )
    SELECT COALESCE(array_agg(id) FILTER (WHERE id IS NOT NULL), '{}') AS ids FROM step`
}

/** In how many conversations each agent sent a message, of those that the actor may see; agents without one are left out. */
export async function countConversationsOfAgents(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  agentIds: readonly string[],
): Promise<Map<string, number>> {
  const { where } = selectionOf(actor, {})
  const rows = await db.prisma.$queryRaw<{ id: string; total: bigint }[]>`
    SELECT agent.id, count(DISTINCT c.id) AS total
      FROM unnest(${[...agentIds]}::text[]) AS agent(id)
      JOIN messages m ON ${isIn(Prisma.sql`agent.id`, Prisma.sql`true`)}
      JOIN conversations c ON c.id = m.conversation_id AND ${where}
     GROUP BY agent.id`
  return new Map(rows.map(({ id, total }) => [id, Number(total)]))
}
