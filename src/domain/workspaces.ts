import { z } from 'zod'
import type { Member, User, Workspace } from '../generated/prisma/client.ts'
import { MemberRole } from '../generated/prisma/enums.ts'
import { isUniqueViolation, Prisma } from '../infra/db.ts'
import { inTransaction, type Tx } from '../infra/transaction.ts'
import { type Actor, type Caller, refOf } from './actor.ts'
import { noteOrphans } from './agent-installers.ts'
import { type AuditTarget, personOf, recordAudit } from './audit.ts'
import type { Deps } from './deps.ts'
import { ConflictError, ForbiddenError, NotFoundError } from './errors.ts'
import { type EventTx, inEventTransaction } from './event-lock.ts'
import { recordLogEvents } from './events.ts'
import { newId } from './ids.ts'
import { defined, idText, parse, requireId, text } from './input.ts'
import { accessMadeBy, endAccess, type MadeAccess } from './member-removal.ts'
import { newestFirst, type Page, type PageRequest } from './page.ts'
import { requireLevel, requireMayManage, requireNotAgent, requireRole, visibleWorkspaces } from './policy.ts'

export type MemberWithUser = Member & { user: User }
export type WorkspaceWithMembers = Workspace & { members: MemberWithUser[] }

const MEMBERS = {
  members: { include: { user: true }, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] },
} satisfies Prisma.WorkspaceInclude

export const CreateWorkspace = z.object({
  name: text(100).min(2, 'must have at least 2 characters'),
  slug: text(60).regex(/^[a-z0-9-]+$/, 'must contain only a-z, 0-9 and -'),
})

export const WorkspacePatch = CreateWorkspace.partial().refine(
  (patch) => Object.values(patch).some((value) => value !== undefined),
  'name at least one field to change',
)

export const ChangeRole = z.object({ memberId: idText, role: z.enum(MemberRole) })

/** A caller's workspaces, newest first: the one of a scoped credential, else all that its user belongs to. */
export async function listWorkspaces(deps: Deps, caller: Caller, page: PageRequest): Promise<Page<Workspace>> {
  // A key of one workspace is refused when its person has left.
  if (caller.workspaceId !== null) await caller.actorIn(caller.workspaceId)
  const where = visibleWorkspaces(caller)
  const { workspace } = deps.db.prisma
  return newestFirst(page, {
    find: (slice) => workspace.findMany({ ...slice, where: { AND: [where, slice.where] } }),
    count: () => workspace.count({ where }),
  })
}

/** The actor's workspace with its members. */
export async function getWorkspace(deps: Deps, actor: Actor): Promise<WorkspaceWithMembers> {
  requireLevel(actor, 'READ_ONLY')
  const workspace = await deps.db.prisma.workspace.findUnique({ where: { id: actor.workspaceId }, include: MEMBERS })
  if (workspace === null) throw new NotFoundError('Workspace')
  return workspace
}

/**
 * Makes a workspace whose owner is the caller's person.
 * @throws ForbiddenError below FULL_ACCESS and for keys of one workspace; ValidationError; ConflictError when the slug
 *   is taken
 */
export async function createWorkspace(
  deps: Deps,
  caller: Caller,
  input: z.input<typeof CreateWorkspace>,
): Promise<Workspace> {
  requireLevel(caller, 'FULL_ACCESS')
  if (caller.workspaceId !== null) {
    throw new ForbiddenError('Workspaces are made by people and all-workspaces keys, not by a key of one workspace')
  }
  const { name, slug } = parse(CreateWorkspace, input)
  const id = newId('workspace')
  return inTransaction(deps, async (tx) => {
    await refuseTakenSlug(tx.db.workspace.create({ data: { id, name, slug } }))
    await tx.db.member.create({
      data: { id: newId('member'), workspaceId: id, userId: caller.user.id, role: 'OWNER' },
    })
    const actor = { ...personOf(caller), workspaceId: id }
    const target = { type: 'workspace', id, name } as const
    await recordAudit(tx, actor, { action: 'workspace.created', target, data: { slug }, at: deps.clock.now() })
    return tx.db.workspace.findUniqueOrThrow({ where: { id } })
  })
}

/**
 * Changes the actor's workspace.
 * @throws ForbiddenError for all but owners and admins; ValidationError; ConflictError when the slug is taken
 */
export async function updateWorkspace(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof WorkspacePatch>,
): Promise<Workspace> {
  requireLevel(actor, 'READ_WRITE')
  requireRole(actor, ['OWNER', 'ADMIN'])
  const data = defined(parse(WorkspacePatch, input))
  const id = actor.workspaceId
  return inTransaction(deps, async (tx) => {
    const workspace = await refuseTakenSlug(tx.db.workspace.update({ where: { id }, data }))
    const target = { type: 'workspace', id, name: workspace.name } as const
    const changed = { changed: Object.keys(data) }
    await recordAudit(tx, actor, { action: 'workspace.updated', target, data: changed, at: deps.clock.now() })
    return workspace
  })
}

/**
 * Removes the actor's workspace with everything in it.
 * @throws ForbiddenError below FULL_ACCESS and for all but owners
 */
export async function deleteWorkspace(deps: Deps, actor: Actor): Promise<void> {
  requireLevel(actor, 'FULL_ACCESS')
  requireRole(actor, ['OWNER'])
  const id = actor.workspaceId
  await inTransaction(deps, async (tx) => {
    await lockContents(tx, id)
    const found = await tx.db.workspace.findUnique({ where: { id } })
    // Of two who remove it at once, one deletes a row.
    const { count } = await tx.db.workspace.deleteMany({ where: { id } })
    if (found === null || count === 0) throw new NotFoundError('Workspace')
    const target = { type: 'workspace', id, name: found.name } as const
    // The workspace's own log is gone with it.
    const entry = { action: 'workspace.deleted', target, data: { slug: found.slug }, at: deps.clock.now() } as const
    await recordAudit(tx, { ...actor, workspaceId: null }, entry)
  })
}

/**
 * Locks what others lock before they come to the workspace's own row, in their order: who is writing finishes first, and
 * who comes later waits and finds nothing. Deleting from the workspace down would meet them halfway, in deadlocks.
 */
async function lockContents(tx: Tx, id: string): Promise<void> {
  for (const table of [
    'members',
    'conversations',
    'agents',
    'webhook_endpoints',
    'articles',
    'collections',
    'api_keys',
  ]) {
    const rows = Prisma.raw(table)
    await tx.db.$queryRaw`
      SELECT count(*) FROM (SELECT 1 FROM ${rows} WHERE workspace_id = ${id} ORDER BY id FOR NO KEY UPDATE) locked`
  }
}

async function refuseTakenSlug<T>(writing: Promise<T>): Promise<T> {
  return writing.catch((error: unknown) => {
    throw isUniqueViolation(error) ? new ConflictError('That slug is taken') : error
  })
}

/** @throws NotFoundError; ForbiddenError where owners are concerned; ConflictError when it would leave the workspace without an owner */
export async function changeMemberRole(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof ChangeRole>,
): Promise<MemberWithUser> {
  requireLevel(actor, 'FULL_ACCESS')
  requireNotAgent(actor, 'manage members')
  const { memberId, role } = parse(ChangeRole, input)
  return inTransaction(deps, async (tx) => {
    const member = await lockMember(tx, actor, memberId)
    requireMayManage(actor, member.role, role)
    if (member.role === 'OWNER' && role !== 'OWNER') await requireAnotherOwner(tx, member)
    const changed = await tx.db.member.update({ where: { id: memberId }, data: { role }, include: { user: true } })
    if (member.role !== role) {
      const data = { from: member.role, to: role }
      const at = deps.clock.now()
      await recordAudit(tx, actor, { action: 'member.role_changed', target: targetOf(changed), data, at })
    }
    return changed
  })
}

/**
 * Removes a member: their conversations become unassigned, batch by batch, then their keys stop working here at once. A call
 * that ends in the middle has unassigned some, or ended some of the agents, and may be made again.
 * @param endAccess also ends what they made that would go on working: agents, webhook endpoints, keys, invitations.
 *   Otherwise the log names the agents that do.
 * @returns what they made
 * @throws NotFoundError; ConflictError for the last owner
 */
export async function removeMember(
  deps: Deps,
  actor: Actor,
  memberId: string,
  { endAccess: isEnding = false }: { readonly endAccess?: boolean } = {},
): Promise<MadeAccess> {
  requireLevel(actor, 'FULL_ACCESS')
  requireNotAgent(actor, 'manage members')
  requireId('member', memberId, 'Member')
  const { workspaceId } = actor
  const ended: MadeAccess['agents'][number][] = []
  for (;;) {
    const assigned = await deps.db.prisma.conversation.findMany({
      where: { workspaceId, assigneeId: memberId },
      select: { id: true },
      take: UNASSIGNED_AT_ONCE,
    })
    const conversationIds = assigned.map(({ id }) => id)
    const { agents, made } = await inEventTransaction(deps, { workspaceId, conversationIds }, async (tx) => {
      const member = await lockMember(tx, actor, memberId)
      requireMayManage(actor, member.role)
      if (member.role === 'OWNER') await requireAnotherOwner(tx, member)
      const at = deps.clock.now()
      await unassign(tx, deps, actor, { memberId, conversationIds, at })
      const isAssigned = { workspaceId, assigneeId: memberId }
      // The next batch, and what was assigned meanwhile: now that the member is locked, nothing is any more.
      if ((await tx.db.conversation.findFirst({ where: isAssigned, select: { id: true } })) !== null)
        return { agents: [], made: null }
      const access = await accessMadeBy(tx.db, member, at)
      const { agents, isAll } = isEnding ? await endAccess(tx, deps, actor, access, at) : { ...access, isAll: true }
      if (!isAll) return { agents, made: null }
      const removed = await tx.db.member.delete({ where: { id: memberId }, include: { user: true } })
      const data = { role: removed.role, userId: removed.userId, endAccess: isEnding }
      await recordAudit(tx, actor, { action: 'member.removed', target: targetOf(removed), data, at })
      if (!isEnding) await noteOrphans(tx, actor, agents, { memberId }, at)
      return { agents, made: access }
    })
    ended.push(...agents)
    if (made !== null) return { ...made, agents: ended }
  }
}

/** However many conversations a member has, no transaction is long. */
const UNASSIGNED_AT_ONCE = 500

interface Unassigned {
  readonly memberId: string
  /** Locked by the transaction. */
  readonly conversationIds: string[]
  readonly at: Date
}

async function unassign(
  tx: EventTx,
  { bus }: Deps,
  actor: Actor,
  { memberId, conversationIds, at }: Unassigned,
): Promise<void> {
  const { workspaceId } = actor
  const unassigned = await tx.db.conversation.updateManyAndReturn({
    where: { id: { in: conversationIds }, workspaceId, assigneeId: memberId },
    data: { assigneeId: null },
    select: { id: true },
  })
  const events = unassigned.map(({ id }) => {
    const data = { conversationId: id, changed: ['assigneeId'], workspaceId }
    return { type: 'conversation.updated' as const, conversationId: id, data, actor: refOf(actor), at }
  })
  await recordLogEvents(tx, bus, workspaceId, events)
}

function targetOf({ id, user }: MemberWithUser): AuditTarget {
  return { type: 'member', id, name: user.name }
}

/** Locks the workspace's members, so that two owners cannot remove each other at the same moment. */
async function lockMember(tx: Tx, actor: Actor, memberId: string): Promise<Member> {
  await tx.db.$queryRaw`SELECT id FROM members WHERE workspace_id = ${actor.workspaceId} ORDER BY id FOR UPDATE`
  const member = await tx.db.member.findFirst({ where: { id: memberId, workspaceId: actor.workspaceId } })
  if (member === null) throw new NotFoundError('Member')
  return member
}

async function requireAnotherOwner(tx: Tx, { id, workspaceId }: Member): Promise<void> {
  const others = await tx.db.member.count({ where: { workspaceId, role: 'OWNER', id: { not: id } } })
  if (others === 0) throw new ConflictError('A workspace keeps at least one owner: make somebody else OWNER first')
}
