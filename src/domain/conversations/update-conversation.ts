import { z } from 'zod'
import type { Conversation } from '../../generated/prisma/client.ts'
import type { Prisma } from '../../infra/database/db.ts'
import { isHeld, type Tx } from '../../infra/database/transaction.ts'
import { inEventTransaction } from '../events/event-lock.ts'
import { type EventData, type EventType, recordEvent } from '../events/events.ts'
import { type Actor, refOf } from '../shared/actor.ts'
import { requireLevel } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { DomainError, UnavailableError, ValidationError } from '../shared/errors.ts'
import { changesSomething, instant, omitUndefined, parse } from '../shared/input.ts'
import { ConversationColumns, MAX_TAGS, Tags, TOO_MANY_TAGS } from './columns/conversation-columns.ts'
import { ConversationDetails } from './columns/conversation-details.ts'
import { type ConversationWithPeople, lockConversation, WITH_PEOPLE } from './conversations.ts'

const { status, assigneeId, tags, priority } = ConversationColumns.shape

export const ConversationPatch = z
  .object({
    status,
    assigneeId: assigneeId.describe('The id of the member to assign. Null unassigns the conversation.'),
    tags: tags.describe(
      'All tags of the conversation, at most 50 of 1 to 50 characters. Not together with `addTags` or `removeTags`.',
    ),
    addTags: Tags.describe('Tags to add, of 1 to 50 characters. The conversation can have at most 50 tags.'),
    removeTags: Tags.describe('Tags to remove. Tags that the conversation does not have are ignored.'),
    priority,
    snoozedUntil: instant
      .nullable()
      .describe(
        'A future time until which the conversation is snoozed. Null removes the time: a snoozed conversation then stays snoozed until the visitor writes.',
      ),
    ...ConversationDetails.shape,
  })
  .partial()
  .refine(...changesSomething)
  .refine(({ tags, addTags, removeTags }) => tags === undefined || (addTags ?? removeTags) === undefined, {
    path: ['tags'],
    message: 'replaces all tags: send either tags, or addTags and removeTags',
  })
  .refine(({ addTags = [], removeTags = [] }) => !addTags.some((tag) => removeTags.includes(tag)), {
    path: ['removeTags'],
    message: 'must not contain a tag that is also in addTags',
  })

/**
 * Changes a conversation. Records conversation.assigned when a member is assigned, and conversation.closed when the
 * conversation is closed.
 * @throws NotFoundError, ValidationError
 */
export async function updateConversation(
  deps: Deps,
  actor: Actor,
  id: string,
  input: z.input<typeof ConversationPatch>,
): Promise<ConversationWithPeople> {
  requireLevel(actor, 'READ_WRITE')
  return applyPatch(deps, actor, id, parse(ConversationPatch, input))
}

/** The same for a patch that was parsed already. The caller has checked the permission. @throws NotFoundError, ValidationError */
function applyPatch(
  deps: Deps,
  actor: Actor,
  id: string,
  patch: z.output<typeof ConversationPatch>,
): Promise<ConversationWithPeople> {
  return inEventTransaction(deps, { workspaceId: actor.workspaceId, conversationIds: [id] }, async (tx) => {
    // The member is locked before the conversation, in the same order as when a member is removed.
    const assignee = patch.assigneeId == null ? null : await findAssignee(tx, actor.workspaceId, patch.assigneeId)
    const before = await lockConversation(tx, actor, id)
    const now = deps.clock.now()
    const { status: _, snoozedUntil: __, tags: ___, addTags, removeTags, metadata, ...rest } = patch
    const json = metadata as Prisma.InputJsonObject | undefined
    const tags = tagsAfter(before, patch)
    const data = { ...omitUndefined({ ...rest, tags, metadata: json }), ...statusChange(before, patch, now) }
    const changed = changedFields(before, data)
    if (changed.length > 0) await tx.db.conversation.update({ where: { id }, data: only(data, changed) })

    const record = <T extends EventType>(type: T, eventData: EventData[T]) =>
      recordEvent(tx, deps.bus, {
        type,
        workspaceId: actor.workspaceId,
        conversationId: id,
        data: eventData,
        actor: refOf(actor),
        at: now,
      })
    const subject = { conversationId: id, workspaceId: actor.workspaceId }
    if (changed.length > 0) await record('conversation.updated', { ...subject, changed })
    if (assignee !== null && changed.includes('assigneeId')) {
      const { conversationId, workspaceId } = subject
      const by = { assignedBy: actor.id, assignedByName: actor.name }
      const data = { conversationId, assigneeId: assignee.id, assigneeName: assignee.user.name, ...by, workspaceId }
      await record('conversation.assigned', data)
    }
    if (data.status === 'CLOSED' && before.status !== 'CLOSED') {
      const { conversationId, workspaceId } = subject
      const by = { closedBy: actor.id, closedByName: actor.name, closedAt: now.toISOString() }
      await record('conversation.closed', { conversationId, ...by, workspaceId })
    }
    return tx.db.conversation.findUniqueOrThrow({ where: { id }, include: WITH_PEOPLE })
  })
}

type Patch = z.output<typeof ConversationPatch>

/**
 * The tags after a patch; undefined if the patch does not change them. Existing tags keep their order, new tags follow.
 * @throws ValidationError for too many tags
 */
function tagsAfter(
  { tags: before }: Pick<Conversation, 'tags'>,
  { tags, addTags, removeTags }: Patch,
): string[] | undefined {
  if (addTags === undefined && removeTags === undefined) return tags
  const after = [...new Set([...before, ...(addTags ?? [])])].filter((tag) => !removeTags?.includes(tag))
  if (after.length > MAX_TAGS) throw new ValidationError([{ path: 'addTags', message: TOO_MANY_TAGS }])
  return after
}

type StatusFields = Pick<Conversation, 'status' | 'closedAt' | 'snoozedUntil'>

/**
 * Status, closing time and snooze change together: only closed conversations have closedAt, and only snoozed ones
 * snoozedUntil. Setting snoozedUntil snoozes the conversation; without it, a snooze lasts until the visitor writes.
 */
export function statusChange(
  before: StatusFields,
  { status, snoozedUntil }: Pick<Patch, 'status' | 'snoozedUntil'>,
  now: Date,
): Partial<StatusFields> {
  if (status === undefined && snoozedUntil === undefined) return {}
  const next = status ?? (snoozedUntil == null ? before.status : 'SNOOZED')
  if (snoozedUntil != null && next !== 'SNOOZED') {
    throw new ValidationError([{ path: 'snoozedUntil', message: `must be omitted when the status is ${next}` }])
  }
  if (snoozedUntil != null && snoozedUntil <= now) {
    throw new ValidationError([{ path: 'snoozedUntil', message: 'must be in the future' }])
  }
  const kept = snoozedUntil === undefined ? before.snoozedUntil : snoozedUntil
  return {
    status: next,
    closedAt: next === 'CLOSED' ? (before.closedAt ?? now) : null,
    snoozedUntil: next === 'SNOOZED' ? kept : null,
  }
}

function changedFields(before: Conversation, data: Record<string, unknown>): string[] {
  const current: Record<string, unknown> = { ...before }
  return Object.keys(data).filter((field) => JSON.stringify(current[field]) !== JSON.stringify(data[field]))
}

/**
 * An unchanged assignee is not written: the row can still name a removed member, whom the drain unassigns with an
 * event.
 */
function only<Data extends object>(data: Data, fields: readonly string[]): Partial<Data> {
  return Object.fromEntries(Object.entries(data).filter(([field]) => fields.includes(field))) as Partial<Data>
}

/** Locks the member, so that they cannot be removed before this transaction ends. */
async function findAssignee(tx: Tx, workspaceId: string, memberId: string) {
  const locked = await tx.db.$queryRaw<unknown[]>`
    SELECT 1 FROM members WHERE id = ${memberId} AND workspace_id = ${workspaceId} FOR KEY SHARE`
  if (locked.length > 0) return tx.db.member.findUniqueOrThrow({ where: { id: memberId }, include: { user: true } })
  throw new ValidationError([{ path: 'assigneeId', message: 'is not a member of this workspace' }])
}

/** The maximum of ids in one call. */
export const MAX_CONVERSATIONS = 100

/** Which conversations to change: each once, in the order in which they are named first. */
const ConversationIds = z
  .array(z.string())
  .max(MAX_CONVERSATIONS, `must have at most ${MAX_CONVERSATIONS} ids`)
  .transform((ids) => [...new Set(ids)])

const Many = z.object({ ids: ConversationIds })

const TagChange = z.object({ conversationIds: ConversationIds, tags: Tags })

/** What became of one of many conversations: it in its new state, or why it was left as it is. */
export interface ConversationOutcome {
  readonly conversationId: string
  readonly conversation: ConversationWithPeople | null
  readonly error: DomainError | null
}

/**
 * Makes the same changes to many conversations, as updateConversation does to one, each in a transaction of its own (with
 * an idempotency key, all in one): one that is refused does not keep the others from being changed. Doing it again changes nothing, so a call that failed in
 * its middle can be repeated.
 * @param ids at most 100
 * @returns an outcome for each distinct id
 * @throws ForbiddenError; ValidationError for too many ids and for changes that no conversation can have: nothing was changed then
 */
export function updateConversations(
  deps: Deps,
  actor: Actor,
  ids: readonly string[],
  input: z.input<typeof ConversationPatch>,
): Promise<ConversationOutcome[]> {
  requireLevel(actor, 'READ_WRITE')
  const wanted = parse(Many, { ids })
  const patch = parse(ConversationPatch, input)
  return forEach(deps, actor, wanted.ids, (id) => applyPatch(deps, actor, id, patch))
}

/**
 * Adds tags to many conversations, in addition to whatever tags others add or remove at the same time.
 * @returns an outcome for each distinct id
 * @throws ForbiddenError; ValidationError for too many ids or tags
 */
export function addTags(deps: Deps, actor: Actor, input: z.input<typeof TagChange>): Promise<ConversationOutcome[]> {
  requireLevel(actor, 'READ_WRITE')
  const { conversationIds, tags } = parse(TagChange, input)
  return forEach(deps, actor, conversationIds, (id) => applyPatch(deps, actor, id, { addTags: tags }).catch(nameTags))
}

/** Removes tags from many conversations; those that a conversation does not have are ignored. Otherwise as addTags. */
export function removeTags(deps: Deps, actor: Actor, input: z.input<typeof TagChange>): Promise<ConversationOutcome[]> {
  requireLevel(actor, 'READ_WRITE')
  const { conversationIds, tags } = parse(TagChange, input)
  return forEach(deps, actor, conversationIds, (id) => applyPatch(deps, actor, id, { removeTags: tags }))
}

/** What a patch calls addTags is called tags here. */
function nameTags(error: unknown): never {
  if (!(error instanceof ValidationError)) throw error
  throw new ValidationError(error.fields.map((field) => ({ ...field, path: 'tags' })))
}

/**
 * One after the other: together they would take the connections from everybody else. In a transaction that is held open, all
 * locks come first; what refuses a change comes before its first write.
 */
function forEach(
  deps: Deps,
  { workspaceId }: Actor,
  ids: readonly string[],
  change: (id: string) => Promise<ConversationWithPeople>,
): Promise<ConversationOutcome[]> {
  const changeAll = () => outcomesOf(ids, change)
  return isHeld(deps.db) ? inEventTransaction(deps, { workspaceId, conversationIds: ids }, changeAll) : changeAll()
}

async function outcomesOf(
  ids: readonly string[],
  change: (id: string) => Promise<ConversationWithPeople>,
): Promise<ConversationOutcome[]> {
  const outcomes: ConversationOutcome[] = []
  for (const conversationId of ids) {
    try {
      outcomes.push({ conversationId, conversation: await change(conversationId), error: null })
    } catch (error) {
      if (!(error instanceof DomainError) || error instanceof UnavailableError) throw error
      outcomes.push({ conversationId, conversation: null, error })
    }
  }
  return outcomes
}
