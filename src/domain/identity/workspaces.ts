import { z } from 'zod'
import type { Member, User, Workspace } from '../../generated/prisma/client.ts'
import { MemberRole, Plan } from '../../generated/prisma/enums.ts'
import { isUniqueViolation, type Prisma } from '../../infra/database/db.ts'
import { inTransaction, type Tx } from '../../infra/database/transaction.ts'
import { type AuditTarget, personOf, recordAudit } from '../audit/audit.ts'
import { recordOrphanedAgents } from '../credentials/agent-installers.ts'
import { lockKey, WORKSPACE_LOCK } from '../events/event-lock.ts'
import { endpointsChanged } from '../events/events.ts'
import { type Actor, type Caller, refOf } from '../shared/actor.ts'
import {
  requireLevel,
  requireMayManage,
  requireNotAgent,
  requireRole,
  visibleWorkspaces,
} from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { ConflictError, ForbiddenError, NotFoundError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { changesSomething, idText, instant, omitUndefined, parse, requireId, text } from '../shared/input.ts'
import { newestFirst, type Page, type PageRequest } from '../shared/pagination.ts'
import { accessMadeBy, endAccess, type MadeAccess } from './member-removal.ts'

export type MemberWithUser = Member & { user: User }
export type WorkspaceWithMembers = Workspace & { members: MemberWithUser[] }

const MEMBERS = {
  members: { include: { user: true }, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] },
} satisfies Prisma.WorkspaceInclude

const MAX_SLUG = 60

/** The columns of a workspace that the APIs show as they are. Those that clients write are parsed by the same schemas. */
export const WorkspaceColumns = z.object({
  name: text(100).min(2, 'must have at least 2 characters').describe('The display name, 2 to 100 characters.'),
  slug: text(MAX_SLUG)
    .regex(/^[a-z0-9-]+$/, 'must contain only a-z, 0-9 and -')
    .describe(
      'The name of the workspace in URLs: 1 to 60 characters of `a-z`, `0-9` and `-`, unique in the deployment.',
    ),
  plan: z.enum(Plan).describe('The plan, which sets the rate limit of API keys.'),
  createdAt: instant.describe('The time when the workspace was created.'),
  updatedAt: instant.describe('The time of the latest change of the workspace.'),
})

export const CreateWorkspace = WorkspaceColumns.pick({ name: true, slug: true })

export const WorkspacePatch = CreateWorkspace.partial().refine(...changesSomething)

export const ChangeRole = z.object({ memberId: idText, role: z.enum(MemberRole) })

/** A caller's workspaces, newest first: the one of a credential for one workspace, otherwise all of the user. */
export async function listWorkspaces(deps: Deps, caller: Caller, page: PageRequest): Promise<Page<Workspace>> {
  // A key for one workspace is refused when its user has left that workspace.
  if (caller.workspaceId !== null) await caller.actorIn(caller.workspaceId)
  const where = visibleWorkspaces(caller)
  const { workspace } = deps.db.prisma
  return newestFirst(page, {
    find: (range) => workspace.findMany({ ...range, where: { AND: [where, range.where] } }),
    count: () => workspace.count({ where }),
  })
}

/** The actor's workspace. */
export async function getWorkspace(deps: Deps, actor: Actor): Promise<Workspace> {
  requireLevel(actor, 'READ_ONLY')
  const workspace = await deps.db.prisma.workspace.findUnique({ where: { id: actor.workspaceId } })
  if (workspace === null) throw new NotFoundError('Workspace')
  return workspace
}

/** The actor's workspace with all of its members, longest membership first. */
export async function getWorkspaceWithMembers(deps: Deps, actor: Actor): Promise<WorkspaceWithMembers> {
  requireLevel(actor, 'READ_ONLY')
  const workspace = await deps.db.prisma.workspace.findUnique({ where: { id: actor.workspaceId }, include: MEMBERS })
  if (workspace === null) throw new NotFoundError('Workspace')
  return workspace
}

/** The workspace's members of these ids, by id; to an actor of any kind. */
export async function membersById(
  { db }: Pick<Deps, 'db'>,
  { workspaceId }: Actor,
  ids: readonly string[],
): Promise<Map<string, MemberWithUser>> {
  const rows = await db.prisma.member.findMany({
    where: { id: { in: [...ids] }, workspaceId },
    include: { user: true },
  })
  return new Map(rows.map((row) => [row.id, row]))
}

/**
 * Creates a workspace, with the caller's user as its owner.
 * @throws ForbiddenError below FULL_ACCESS and for keys for one workspace; ValidationError; ConflictError when the slug
 *   is taken
 */
export async function createWorkspace(
  deps: Deps,
  caller: Caller,
  input: z.input<typeof CreateWorkspace>,
): Promise<Workspace> {
  requireLevel(caller, 'FULL_ACCESS')
  if (caller.workspaceId !== null) {
    throw new ForbiddenError('A key of one workspace cannot create workspaces: sign in, or use an all-workspaces key')
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
 * Updates the actor's workspace.
 * @throws ForbiddenError for roles below ADMIN; ValidationError; ConflictError when the slug is taken; NotFoundError
 */
export async function updateWorkspace(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof WorkspacePatch>,
): Promise<Workspace> {
  requireLevel(actor, 'READ_WRITE')
  requireRole(actor, ['OWNER', 'ADMIN'])
  const data = omitUndefined(parse(WorkspacePatch, input))
  const id = actor.workspaceId
  return inTransaction(deps, async (tx) => {
    const workspace = await refuseTakenSlug(tx.db.workspace.update({ where: { id }, data }))
    // A workspace that was removed meanwhile must not take a slug.
    if ((await tx.db.removal.count({ where: { workspaceId: id, id } })) > 0) throw new NotFoundError('Workspace')
    const target = { type: 'workspace', id, name: workspace.name } as const
    const changed = { changed: Object.keys(data) }
    await recordAudit(tx, actor, { action: 'workspace.updated', target, data: changed, at: deps.clock.now() })
    return workspace
  })
}

/**
 * Removes the actor's workspace: all access ends, its slug is free, and nothing is sent. Its rows are deleted later, in
 * batches (drain-removals.ts).
 * @param id of the workspace, which must be the actor's
 * @throws ForbiddenError below FULL_ACCESS and for all but owners; NotFoundError for another workspace
 */
export async function deleteWorkspace(deps: Deps, actor: Actor, id: string): Promise<void> {
  requireLevel(actor, 'FULL_ACCESS')
  requireRole(actor, ['OWNER'])
  if (id !== actor.workspaceId) throw new NotFoundError('Workspace')
  await inTransaction(deps, async (tx) => {
    await finishWriters(tx, id)
    const found = await tx.db.workspace.findUnique({ where: { id } })
    const { count } = await tx.db.removal.createMany({ data: [{ id, workspaceId: id }], skipDuplicates: true })
    // Of two concurrent removals, one creates the row.
    if (found === null || count === 0) throw new NotFoundError('Workspace')
    // Longer than any valid slug.
    const slug = id.replace('_', '-').padStart(MAX_SLUG + 1, '-')
    await tx.db.workspace.update({ where: { id }, data: { slug } })
    const its = { where: { workspaceId: id } }
    const endpoints = await tx.db.webhookEndpoint.findMany({ ...its, select: { id: true } })
    await tx.db.removal.deleteMany({ where: { workspaceId: id, id: { not: id } } })
    await tx.db.member.deleteMany(its)
    await tx.db.webhookEndpoint.deleteMany(its)
    await tx.db.apiKey.deleteMany(its)
    await tx.db.agent.deleteMany(its)
    await tx.db.invitation.deleteMany(its)
    // Else draining its conversations would count every one of them down.
    await tx.db.tag.deleteMany(its)
    const target = { type: 'workspace', id, name: found.name } as const
    // The log of the workspace itself is removed with it.
    const entry = { action: 'workspace.deleted', target, data: { slug: found.slug }, at: deps.clock.now() } as const
    await recordAudit(tx, { ...actor, workspaceId: null }, entry)
    endpointsChanged(
      tx,
      deps.bus,
      endpoints.map((endpoint) => endpoint.id),
    )
  })
}

/**
 * Waits for the running transactions of the workspace: first those that record events, before they have locked anything
 * else, then all that refer to its row. Later ones wait, and find it removed.
 */
async function finishWriters(tx: Tx, id: string): Promise<void> {
  await tx.db.$executeRaw`SELECT pg_advisory_xact_lock(${WORKSPACE_LOCK}::int, ${lockKey(id)}::int)`
  await tx.db.$queryRaw`SELECT id FROM workspaces WHERE id = ${id} FOR UPDATE`
  // Locked before their endpoints and keys, in the common order.
  await tx.db.$executeRaw`SELECT FROM agents WHERE workspace_id = ${id} ORDER BY id FOR UPDATE`
}

async function refuseTakenSlug<T>(writing: Promise<T>): Promise<T> {
  return writing.catch((error: unknown) => {
    throw isUniqueViolation(error) ? new ConflictError('This slug is already taken', 'slug') : error
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
 * Removes a member: their keys stop working in this workspace at once, and they are no longer shown as assignee. Their
 * conversations are unassigned later, in batches (drain-removals.ts), each with its event. An interrupted call may have
 * removed some agents, and can be repeated.
 * @param endAccess also removes what they created that would continue to work: agents, webhook endpoints, keys,
 *   invitations. Otherwise, the log names the remaining agents.
 * @returns what they created
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
    const { agents, made } = await inTransaction(deps, async (tx) => {
      const member = await lockMember(tx, actor, memberId)
      requireMayManage(actor, member.role)
      if (member.role === 'OWNER') await requireAnotherOwner(tx, member)
      const at = deps.clock.now()
      const access = await accessMadeBy(tx.db, member, at)
      const { agents, isAll } = isEnding ? await endAccess(tx, deps, actor, access, at) : { ...access, isAll: true }
      if (!isAll) return { agents, made: null }
      await tx.db.removal.create({ data: { id: memberId, workspaceId, actor: { ...refOf(actor) } } })
      const removed = await tx.db.member.delete({ where: { id: memberId }, include: { user: true } })
      const data = { role: removed.role, userId: removed.userId, endAccess: isEnding }
      await recordAudit(tx, actor, { action: 'member.removed', target: targetOf(removed), data, at })
      if (!isEnding) await recordOrphanedAgents(tx, actor, agents, { memberId }, at)
      return { agents, made: access }
    })
    ended.push(...agents)
    if (made !== null) return { ...made, agents: ended }
  }
}

function targetOf({ id, user }: MemberWithUser): AuditTarget {
  return { type: 'member', id, name: user.name }
}

/** Locks the members of the workspace, so that two owners cannot remove each other at the same time. */
async function lockMember(tx: Tx, actor: Actor, memberId: string): Promise<Member> {
  await tx.db.$queryRaw`SELECT id FROM members WHERE workspace_id = ${actor.workspaceId} ORDER BY id FOR UPDATE`
  const member = await tx.db.member.findFirst({ where: { id: memberId, workspaceId: actor.workspaceId } })
  if (member === null) throw new NotFoundError('Member')
  return member
}

async function requireAnotherOwner(tx: Tx, { id, workspaceId }: Member): Promise<void> {
  const others = await tx.db.member.count({ where: { workspaceId, role: 'OWNER', id: { not: id } } })
  if (others === 0) throw new ConflictError('A workspace must have at least one owner: make another member OWNER first')
}
