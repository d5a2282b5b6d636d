import { z } from 'zod'
import type { Visitor } from '../../generated/prisma/client.ts'
import { isUniqueViolation, Prisma } from '../../infra/database/db.ts'
import { namedColumnsOf, RowReader } from '../../infra/database/rows.ts'
import type { Tx } from '../../infra/database/transaction.ts'
import { normalizeEmail } from '../../infra/email-address.ts'
import type { ConversationWithAssignee } from '../conversations/conversations.ts'
import { type EventTx, inEventTransaction } from '../events/event-lock.ts'
import { recordEvent } from '../events/events.ts'
import { type Actor, refOf } from '../shared/actor.ts'
import { requireLevel } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { ConflictError, NotFoundError, ValidationError } from '../shared/errors.ts'
import { kindOfId, newId } from '../shared/ids.ts'
import {
  changesSomething,
  clearableText,
  email,
  hasOneKey,
  jsonObject,
  omitUndefined,
  parse,
  requireId,
  text,
  webUrl,
} from '../shared/input.ts'
import { newestFirst, type Page, type PageRequest } from '../shared/pagination.ts'
import { requestPicture } from './pictures.ts'

const ExternalId = text(255)

/**
 * The columns of a visitor that clients can write and read. The inputs and responses of both APIs are derived from
 * them.
 */
export const VisitorInput = z.object({
  externalId: ExternalId.nullish().describe(
    'The id of the visitor in your system, 1 to 255 characters, unique in the workspace.',
  ),
  name: clearableText(200).optional().describe('The name of the visitor, at most 200 characters.'),
  email: email.nullish().describe('The email address of the visitor, at most 320 characters.'),
  avatarUrl: webUrl.optional().describe('The URL of a picture of the visitor.'),
  metadata: jsonObject
    .optional()
    .describe('Custom data, an object of at most 16 kB. An update replaces the existing object.'),
})

export const VisitorPatch = VisitorInput.refine(...changesSomething)

/** Conditions for a text, ignoring case; all must match. */
export const TextFilter = z
  .object({
    is: text(320).describe('The text is equal to this.'),
    startsWith: text(320).describe('The text starts with this.'),
    contains: text(320).describe('The text contains this.'),
  })
  .partial()

export const VisitorFilter = z
  .object({
    name: TextFilter.describe('Conditions on the name.'),
    email: TextFilter.describe('Conditions on the email address.'),
    externalId: ExternalId.describe('The visitor with exactly this `externalId`.'),
    text: text(200).describe(
      'A text of 1 to 200 characters that the name, email address or `externalId` contains, ignoring case.',
    ),
  })
  .partial()

/** Prisma passes LIKE's wildcards through. */
const literal = (value: string) => value.replace(/[\\%_]/g, '\\$&')

interface TextCondition {
  readonly equals?: string
  readonly startsWith?: string
  readonly contains?: string
  readonly mode: 'insensitive'
}

function conditionsOn<Where>(
  { is, startsWith, contains }: z.output<typeof TextFilter> = {},
  on: (condition: TextCondition) => Where,
): Where[] {
  const mode = 'insensitive' as const
  return [
    ...(is === undefined ? [] : [on({ equals: literal(is), mode })]),
    ...(startsWith === undefined ? [] : [on({ startsWith: literal(startsWith), mode })]),
    ...(contains === undefined ? [] : [on({ contains: literal(contains), mode })]),
  ]
}

/** The workspace's visitors, newest first. */
export async function listVisitors(
  deps: Deps,
  actor: Actor,
  filter: z.input<typeof VisitorFilter>,
  page: PageRequest,
): Promise<Page<Visitor>> {
  requireLevel(actor, 'READ_ONLY')
  const { name, email: address, externalId, text: words } = parse(VisitorFilter, filter)
  const found = { contains: words === undefined ? '' : literal(words), mode: 'insensitive' } as const
  const where = {
    workspaceId: actor.workspaceId,
    ...(externalId !== undefined && { externalId }),
    AND: [
      ...conditionsOn(name, (condition) => ({ name: condition })),
      // Addresses are stored in normal form, so an exact match uses the index.
      ...(address?.is === undefined ? [] : [{ email: normalizeEmail(address.is) ?? address.is.toLowerCase() }]),
      ...conditionsOn({ ...address, is: undefined }, (condition) => ({ email: condition })),
      ...(words === undefined ? [] : [{ OR: [{ name: found }, { email: found }, { externalId: found }] }]),
    ],
  }
  const { visitor } = deps.db.prisma
  return newestFirst(page, {
    find: (range) => visitor.findMany({ ...range, where: { ...where, ...range.where } }),
    count: () => visitor.count({ where }),
  })
}

const VISITOR_FIELDS = Object.values(Prisma.VisitorScalarFieldEnum)
const BY_ID = {
  name: 'visitors_by_id',
  text: `SELECT ${namedColumnsOf('v', VISITOR_FIELDS).join(', ')} FROM visitors v WHERE v.id = ANY($1) AND v.workspace_id = $2`,
} as const

/** The workspace's visitors of these ids, by id. */
export async function visitorsById(deps: Deps, actor: Actor, ids: readonly string[]): Promise<Map<string, Visitor>> {
  const rows = await deps.db.values(BY_ID, [ids, actor.workspaceId])
  const visitors = rows.map((row) => new RowReader(row).take<Visitor>(VISITOR_FIELDS))
  return new Map(visitors.map((visitor) => [visitor.id, visitor]))
}

const VisitorKey = z
  .object({ id: z.string(), externalId: ExternalId })
  .partial()
  .refine(...hasOneKey)

/** The visitor with an id or an external id; null when there is none. @throws ValidationError unless exactly one is given */
export async function findVisitor(deps: Deps, actor: Actor, key: z.input<typeof VisitorKey>): Promise<Visitor | null> {
  requireLevel(actor, 'READ_ONLY')
  const { id, externalId } = parse(VisitorKey, key)
  if (id !== undefined && kindOfId(id) !== 'visitor') return null
  const where = { workspaceId: actor.workspaceId, ...omitUndefined({ id, externalId }) }
  return deps.db.prisma.visitor.findFirst({ where })
}

/** A visitor and the ten conversations with the latest activity. */
export async function getVisitor(
  deps: Deps,
  actor: Actor,
  id: string,
): Promise<Visitor & { conversations: ConversationWithAssignee[] }> {
  requireLevel(actor, 'READ_ONLY')
  requireId('visitor', id, 'Customer')
  const { workspaceId } = actor
  // Prisma cannot order by activity_minute, with which the index begins.
  const latest = await deps.db.sql<{ id: string }>(
    `SELECT id FROM conversations WHERE workspace_id = $1 AND visitor_id = $2
      ORDER BY activity_minute DESC, last_activity_at DESC, id DESC LIMIT 10`,
    [workspaceId, id],
  )
  const visitor = await deps.db.prisma.visitor.findFirst({
    where: { id, workspaceId },
    include: {
      conversations: {
        where: { id: { in: latest.map((conversation) => conversation.id) } },
        orderBy: [{ lastActivityAt: 'desc' }, { id: 'desc' }],
        include: { assignee: { select: { id: true } } },
      },
    },
  })
  if (visitor === null) throw new NotFoundError('Customer')
  return visitor
}

/** What lists of conversations show of a visitor, or search in. */
const SHOWN = ['name', 'email', 'avatarUrl'] as const
type Shown = Pick<Visitor, (typeof SHOWN)[number]>

/**
 * A visitor's fields as they are under its lock, so that whoever changes them knows what was there before. Conversations can be
 * started meanwhile.
 */
async function lockVisitor(tx: Tx, where: Prisma.Sql): Promise<Shown | undefined> {
  const [row] = await tx.db.$queryRaw<Shown[]>`
    SELECT name, email, avatar_url AS "avatarUrl" FROM visitors WHERE ${where} FOR NO KEY UPDATE`
  return row
}

/**
 * Records `visitor.updated` when what lists show has changed: one event, from which the readers of lists find the conversations.
 * An event for each of them would be any number, in the transaction of whoever changes a name.
 */
async function recordChange(
  tx: EventTx,
  deps: Deps,
  actor: Actor,
  { before, after, at }: { before: Shown | undefined; after: Visitor; at: Date },
): Promise<void> {
  const changed = SHOWN.filter((field) => before?.[field] !== after[field])
  if (changed.length === 0) return
  const { workspaceId } = actor
  const data = { visitorId: after.id, changed, workspaceId }
  await recordEvent(tx, deps.bus, {
    type: 'visitor.updated',
    workspaceId,
    conversationId: null,
    data,
    actor: refOf(actor),
    at,
  })
}

/**
 * Creates a visitor, or updates the one with the same externalId, in one statement, so that concurrent calls create
 * one.
 * @returns whether the visitor was created
 */
export async function upsertVisitor(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof VisitorInput>,
): Promise<{ visitor: Visitor; created: boolean }> {
  requireLevel(actor, 'READ_WRITE')
  const { externalId = null, name, email: address, avatarUrl, metadata } = parse(VisitorInput, input)
  if (externalId === null && name == null && address == null) {
    throw new ValidationError([{ path: '', message: 'A customer must have at least one of name, email, externalId' }])
  }
  const now = deps.clock.now()
  const json = metadata === undefined ? undefined : JSON.stringify(metadata)
  const set = (column: Prisma.Sql, given: unknown) =>
    given === undefined ? [] : [Prisma.sql`${column} = EXCLUDED.${column}`]
  const updates = [
    Prisma.sql`updated_at = EXCLUDED.updated_at`,
    ...set(Prisma.sql`name`, name),
    ...set(Prisma.sql`email`, address),
    ...set(Prisma.sql`avatar_url`, avatarUrl),
    ...set(Prisma.sql`metadata`, metadata),
  ]
  const { workspaceId } = actor
  return inEventTransaction(deps, { workspaceId }, async (tx) => {
    const isSame = Prisma.sql`workspace_id = ${workspaceId} AND external_id = ${externalId}`
    const before = externalId === null ? undefined : await lockVisitor(tx, isSame)
    const [row] = await tx.db.$queryRaw<{ id: string; created: boolean }[]>`
    INSERT INTO visitors (id, workspace_id, external_id, name, email, avatar_url, metadata, created_at, updated_at)
    VALUES (${newId('visitor')}, ${workspaceId}, ${externalId}, ${name ?? null}, ${address ?? null},
            ${avatarUrl ?? null}, ${json ?? '{}'}::jsonb, ${now}, ${now})
    ON CONFLICT (workspace_id, external_id) DO UPDATE SET ${Prisma.join(updates, ', ')}
    RETURNING id, (xmax = 0) AS created`
    if (row === undefined) throw new Error('an upsert returned no row')
    await requestPicture(tx, workspaceId, avatarUrl, now)
    const visitor = await tx.db.visitor.findUniqueOrThrow({ where: { id: row.id } })
    // One that was created has no conversations.
    if (!row.created) await recordChange(tx, deps, actor, { before, after: visitor, at: now })
    return { visitor, created: row.created }
  })
}

/** @throws NotFoundError; ConflictError when another visitor has the externalId */
export async function updateVisitor(
  deps: Deps,
  actor: Actor,
  id: string,
  input: z.input<typeof VisitorPatch>,
): Promise<Visitor> {
  requireLevel(actor, 'READ_WRITE')
  requireId('visitor', id, 'Customer')
  const { externalId, name, email: address, avatarUrl, metadata } = parse(VisitorPatch, input)
  const json = metadata as Prisma.InputJsonObject | undefined
  const data = omitUndefined({ externalId, name, email: address, avatarUrl, metadata: json })
  const { workspaceId } = actor
  const where = { id, workspaceId }
  const now = deps.clock.now()
  try {
    return await inEventTransaction(deps, { workspaceId }, async (tx) => {
      const before = await lockVisitor(tx, Prisma.sql`id = ${id} AND workspace_id = ${workspaceId}`)
      const [visitor] = await tx.db.visitor.updateManyAndReturn({ where, data })
      if (visitor === undefined) throw new NotFoundError('Customer')
      await requestPicture(tx, workspaceId, avatarUrl, now)
      await recordChange(tx, deps, actor, { before, after: visitor, at: now })
      return visitor
    })
  } catch (error) {
    if (isUniqueViolation(error)) throw await externalIdTaken(deps, actor, externalId)
    throw error
  }
}

async function externalIdTaken(
  { db }: Deps,
  { workspaceId }: Actor,
  externalId: string | null | undefined,
): Promise<ConflictError> {
  const where = { workspaceId, externalId: externalId ?? '' }
  const holder = await db.prisma.visitor.findFirst({ where, select: { id: true } })
  const who = holder === null ? 'Another customer' : `Customer ${holder.id}`
  return new ConflictError(`${who} of this workspace already has this externalId`, 'externalId')
}
