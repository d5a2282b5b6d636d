import { z } from 'zod'
import { Channel, ConversationStatus } from '../../generated/prisma/enums.ts'
import { Prisma } from '../../infra/database/db.ts'
import type { Actor } from '../shared/actor.ts'
import { visibleConversations } from '../shared/authorization.ts'
import { ValidationError } from '../shared/errors.ts'
import { idText, type TimeRange, text, timeRange } from '../shared/input.ts'
import { foundBy, type Search, SearchText, searchFor } from './search.ts'

const Tag = text(50)
const atLeastOne = <S extends z.ZodType>(schema: S) => z.array(schema).min(1, 'must have at least one value').max(50)

/** Exactly one of: the caller, no assignee, a member. */
export const AssigneeFilter = z
  .object({
    me: z
      .literal(true, 'must be true')
      .describe(
        'True for conversations that are assigned to the caller; for an API key, to its user. False is refused, and agents cannot use this condition.',
      ),
    none: z.literal(true, 'must be true').describe('True for unassigned conversations. False is refused.'),
    memberId: idText.describe('Conversations that are assigned to the member with this id.'),
  })
  .partial()
  .refine(
    (choice) => Object.values(choice).filter((value) => value !== undefined).length === 1,
    'must have exactly one field',
  )

export const TagsFilter = z
  .object({
    any: atLeastOne(Tag).describe('At least one of these tags: 1 to 50 tags.'),
    all: atLeastOne(Tag).describe('All of these tags: 1 to 50 tags.'),
  })
  .partial()

/** A filter of conversations; all conditions must match. */
export const ConversationFilter = z
  .object({
    statuses: atLeastOne(z.enum(ConversationStatus)).describe('Conversations in one of these states.'),
    assignee: AssigneeFilter.describe('Conversations with this assignee.'),
    visitorId: idText.describe('Conversations of the visitor with this id.'),
    tags: TagsFilter.describe('Conversations with these tags.'),
    channels: atLeastOne(z.enum(Channel)).describe('Conversations from one of these channels.'),
    priorities: atLeastOne(z.int().min(0).max(3)).describe(
      'Conversations with one of these priorities, from 0 (normal) to 3 (urgent).',
    ),
    text: SearchText,
    createdAt: timeRange.describe('Conversations that were started in this time.'),
    lastActivityAt: timeRange.describe('Conversations with their latest activity in this time.'),
  })
  .partial()

export type ConversationFilter = z.output<typeof ConversationFilter>

/** A filter as SQL. */
export interface Selection {
  readonly workspaceId: string
  /** A condition on `c`, a conversation. It excludes the latest activity, which depends on the snapshot of a list. */
  readonly where: Prisma.Sql
  readonly lastActivityAt: TimeRange
  /** Whether all conditions are on columns that `conversation_counts` has: workspace, status and assignee. */
  readonly isCounted: boolean
  /** Separate from `where`, because there are two ways to search. */
  readonly search: Search | null
}

/** The ids of the members of a workspace that were removed, as they are when the statement runs. */
const removedNow = (workspaceId: string) =>
  Prisma.sql`ARRAY(SELECT id FROM removals WHERE workspace_id = ${workspaceId})`

/**
 * @param removed members whose conversations are nobody's already, though they still name them; left out: the statement looks for
 * them itself, which a list is too slow with
 * @throws ValidationError when an agent asks for its own conversations: only people have some
 */
export function selectionOf(actor: Actor, filter: ConversationFilter, removed?: readonly string[]): Selection {
  const { statuses, assignee, visitorId, tags, channels, priorities, createdAt = {}, lastActivityAt = {} } = filter
  const own = visibleConversations(actor)
  const counted = [
    Prisma.sql`c.workspace_id = ${own.workspaceId}`,
    statuses !== undefined && statusIn(statuses),
    assignee !== undefined && assigneeIs(actor, assignee, removed),
  ]
  const others = [
    own.visitorId !== undefined && Prisma.sql`c.visitor_id = ${own.visitorId}`,
    visitorId !== undefined && Prisma.sql`c.visitor_id = ${visitorId}`,
    tags?.all !== undefined && Prisma.sql`c.tags @> ${tags.all}::text[]`,
    tags?.any !== undefined && Prisma.sql`c.tags && ${tags.any}::text[]`,
    channels !== undefined && Prisma.sql`c.channel = ANY(${channels}::"Channel"[])`,
    priorities !== undefined && Prisma.sql`c.priority = ANY(${priorities}::smallint[])`,
    ...within(Prisma.sql`c.created_at`, createdAt),
  ]
  const search = filter.text === undefined ? null : searchFor(actor, filter.text)
  const isOther = others.some(Boolean) || search !== null || Object.values(lastActivityAt).some(Boolean)
  return {
    workspaceId: own.workspaceId,
    where: and([...counted, ...others]),
    lastActivityAt,
    isCounted: !isOther,
    search,
  }
}

/** The selection with its search as another condition, and the WITH clause that this requires. */
export function withSearch(selection: Selection, search: Search): { found: Prisma.Sql; selected: Selection } {
  const where = Prisma.sql`${selection.where} AND c.id IN (SELECT id FROM found)`
  return { found: Prisma.sql`WITH found AS (${foundBy(search)})`, selected: { ...selection, where, search: null } }
}

/** One status is compared, so that its index has the order of the list. */
function statusIn(statuses: readonly ConversationStatus[]): Prisma.Sql {
  const [first, ...others] = statuses
  return others.length === 0
    ? Prisma.sql`c.status = ${first}::"ConversationStatus"`
    : Prisma.sql`c.status = ANY(${statuses}::"ConversationStatus"[])`
}

function assigneeIs(
  actor: Actor,
  { me, none, memberId }: z.output<typeof AssigneeFilter>,
  removed: readonly string[] | undefined,
): Prisma.Sql {
  const isNobodys = Prisma.sql`c.assignee_id IS NULL`
  if (none === true) {
    if (removed?.length === 0) return isNobodys
    const theirs = removed === undefined ? removedNow(actor.workspaceId) : Prisma.sql`${removed}::text[]`
    return Prisma.sql`(${isNobodys} OR c.assignee_id = ANY(${theirs}))`
  }
  if (me !== true) return Prisma.sql`c.assignee_id = (SELECT id FROM members WHERE id = ${memberId})`
  return Prisma.sql`c.assignee_id = (${memberIdOf(actor)})`
}

/** A query for the id of the actor's member. @throws ValidationError for agents, and for keys without a user */
export function memberIdOf({ type, user, workspaceId }: Actor): Prisma.Sql {
  if (user === null || type === 'agent') {
    throw new ValidationError([{ path: 'assignee.me', message: 'requires a user; API keys must pass `memberId`' }])
  }
  return Prisma.sql`SELECT id FROM members WHERE workspace_id = ${workspaceId} AND user_id = ${user.id}`
}

/** The conditions for a time column. */
export function within(column: Prisma.Sql, { from, after, to }: TimeRange): (Prisma.Sql | false)[] {
  return [
    from !== undefined && Prisma.sql`${column} >= ${from}`,
    after !== undefined && Prisma.sql`${column} > ${after}`,
    to !== undefined && Prisma.sql`${column} < ${to}`,
  ]
}

/** Joins the present conditions with AND. */
export function and(conditions: readonly (Prisma.Sql | false)[]): Prisma.Sql {
  const present = conditions.filter((condition) => condition !== false)
  return present.length === 0 ? Prisma.sql`true` : Prisma.join(present, ' AND ')
}
