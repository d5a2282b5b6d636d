import type { z } from 'zod'
import { Prisma } from '../../infra/database/db.ts'
import type { LogPosition } from '../events/event-position.ts'
import type { Actor } from '../shared/actor.ts'
import type { Deps } from '../shared/deps.ts'
import { parse } from '../shared/input.ts'
import { ConversationFilter, selectionOf } from './conversation-filter.ts'
import { currentWhere } from './conversation-order.ts'
import { ALL_FIELDS, type ConversationWithPeople, conversationOf, selectConversations } from './conversations.ts'
import type { Search } from './search.ts'
import type { SearchedChanges } from './search-changed.ts'

/** A filter by which changed conversations are judged, as SQL. */
export interface ChangeFilter {
  /** The same for filters that match the same conversations: actors whose conditions are the same share one. */
  readonly key: string
  /** On `c`, all conditions but the search. */
  readonly where: Prisma.Sql
  readonly search: Search | null
}

/**
 * The filter that `conversations` uses for the same input.
 * @throws ValidationError as `conversations` does
 */
export function changeFilterOf(actor: Actor, filter: z.input<typeof ConversationFilter>): ChangeFilter {
  const selection = selectionOf(actor, parse(ConversationFilter, filter))
  const where = currentWhere(selection)
  const { search } = selection
  return { key: JSON.stringify([where.text, where.values, search]), where, search }
}

/** A conversation as it is now, and which of the filters it matches. */
export interface MatchedConversation {
  readonly conversation: ConversationWithPeople
  /** Indexes of filters. */
  readonly matches: readonly number[]
}

/** How many filters one statement has: planning it takes time for each. */
const FILTERS_PER_STATEMENT = 100

const { columns, joins } = selectConversations(ALL_FIELDS)
const ROWS = Prisma.raw(columns)
const PEOPLE = Prisma.raw(joins)

/**
 * Judges conversations by several filters at once: one statement for up to a hundred filters, which reads those that match any
 * of them, each in the state by which it was judged.
 * @param searched what the searches of the filters have found among the conversations
 * @returns by id; those that match no filter are left out, as are deleted ones
 */
export async function matchChanged(
  { db }: Pick<Deps, 'db'>,
  ids: readonly string[],
  filters: readonly ChangeFilter[],
  searched: SearchedChanges,
): Promise<Map<string, MatchedConversation>> {
  const matched = new Map<string, { conversation: ConversationWithPeople; matches: number[] }>()
  for (let from = 0; from < filters.length; from += FILTERS_PER_STATEMENT) {
    const conditions = filters.slice(from, from + FILTERS_PER_STATEMENT).map(({ where, search }) => {
      if (search === null) return Prisma.sql`(${where})`
      return Prisma.sql`(c.id = ANY(${[...searched.foundBy(search)]}::text[]) AND ${where})`
    })
    const { text, values } = Prisma.sql`
      SELECT c.matches, ${ROWS} FROM (
        SELECT c.*, array_positions(ARRAY[${Prisma.join(conditions)}]::boolean[], true) AS matches
          FROM conversations c WHERE c.id = ANY(${[...ids]}::text[])) c ${PEOPLE}
       WHERE c.matches <> '{}'`
    for (const row of await db.values(text, values, { isNamed: false })) {
      const [positions] = row as [number[]]
      const matches = positions.map((position) => from + position - 1)
      const known = matched.get((row as [unknown, string])[1])
      if (known !== undefined) known.matches.push(...matches)
      else {
        const conversation = conversationOf(row, ALL_FIELDS, 1)
        matched.set(conversation.id, { conversation, matches })
      }
    }
  }
  return matched
}

/** How far a visitor's conversations have been walked, latest activity first. */
export interface VisitorWalk {
  readonly visitorId: string
  /** The last conversation that was found; null: none yet. */
  readonly after: { readonly lastActivityAt: Date; readonly id: string } | null
}

/** A visitor's conversation that a walk has found. */
export interface WalkedConversation {
  readonly visitorId: string
  readonly id: string
  readonly lastActivityAt: Date
}

/**
 * The next conversations of visitors, visitor by visitor. One that becomes active during the walk may be passed over: it has an
 * event of its own then.
 * @param limit how many; when as many were found, there may be more of the last one's visitor and of the visitors after them
 * @param but those that have events of their own in this part of the log
 */
export async function walkConversations(
  { db }: Pick<Deps, 'db'>,
  workspaceId: string,
  walks: readonly VisitorWalk[],
  limit: number,
  but: { readonly after: LogPosition; readonly upTo: LogPosition } | null = null,
): Promise<WalkedConversation[]> {
  return db.sql<WalkedConversation>(but === null ? WALK : WALK_BUT, [
    workspaceId,
    walks.map(({ visitorId }) => visitorId),
    walks.map(({ after }) => after?.lastActivityAt ?? 'infinity'),
    walks.map(({ after }) => after?.id ?? ''),
    limit,
    ...(but === null ? [] : [but.after.xid, but.after.seq, but.upTo.xid, but.upTo.seq].map(String)),
  ])
}

/** $1 workspace; $2 visitors, and $3 and $4 where the walk of each goes on; $5 limit. */
const walk = (condition: string) => `
  SELECT walk.visitor_id AS "visitorId", c.id, c.last_activity_at AS "lastActivityAt"
    FROM unnest($2::text[], $3::timestamptz[], $4::text[]) WITH ORDINALITY AS walk(visitor_id, at, id, n)
   CROSS JOIN LATERAL (
     SELECT id, last_activity_at FROM conversations
      WHERE workspace_id = $1 AND visitor_id = walk.visitor_id AND activity_minute <= walk.at
        AND (last_activity_at, id) < (walk.at, walk.id) ${condition}
      ORDER BY activity_minute DESC, last_activity_at DESC, id DESC LIMIT $5) c
   ORDER BY walk.n, c.last_activity_at DESC, c.id DESC LIMIT $5`
const WALK = walk('')
/** $6 to $9 a part of the log. */
const WALK_BUT = walk(`AND NOT EXISTS (
        SELECT FROM events own
         WHERE own.workspace_id = $1 AND own.conversation_id = conversations.id
           AND (own.xid, own.seq) > ($6::xid8, $7::bigint) AND (own.xid, own.seq) <= ($8::xid8, $9::bigint))`)
