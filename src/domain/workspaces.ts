import { z } from 'zod'
import type { Member, Prisma, User, Workspace } from '../generated/prisma/client.ts'
import { MemberRole } from '../generated/prisma/enums.ts'
import { isUniqueViolation } from '../infra/db.ts'
import { inTransaction, type Tx } from '../infra/transaction.ts'
import { type Actor, type Caller, refOf } from './actor.ts'
import { type AuditTarget, recordAudit } from './audit.ts'
import type { Deps } from './deps.ts'
import { ConflictError, NotFoundError } from './errors.ts'
import { recordEvent } from './events.ts'
import { newId } from './ids.ts'
import { email, idText, parse, requireId, text } from './input.ts'
import { newestFirst, type Page, type PageRequest } from './page.ts'
import { requireLevel, requireNotAgent } from './policy.ts'

export type MemberWithUser = Member & { user: User }
export type WorkspaceWithMembers = Workspace & { members: MemberWithUser[] }

const MEMBERS = {
  members: { include: { user: true }, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] },
} satisfies Prisma.WorkspaceInclude

export const CreateWorkspace = z.object({
  name: text(100).min(2, 'must have at least 2 characters'),
  slug: text(60).regex(/^[a-z0-9-]+$/, 'must contain only a-z, 0-9 and -'),
})

export const AddMember = z.object({ email, name: text(200).optional(), role: z.enum(MemberRole) })
export const ChangeRole = z.object({ memberId: idText, role: z.enum(MemberRole) })

/** A caller's workspaces, newest first: the one of a scoped credential, else all that its user belongs to. */
export async function listWorkspaces(deps: Deps, caller: Caller, page: PageRequest): Promise<Page<Workspace>> {
  const { user, workspaceId } = caller
  const actor = workspaceId === null ? null : await caller.actorIn(workspaceId)
  const where = actor === null ? { members: { some: { userId: user.id } } } : { id: actor.workspaceId }
  const { workspace } = deps.db.prisma
  return newestFirst(page, {
    find: (slice) => workspace.findMany({ ...slice, where: { ...where, ...slice.where } }),
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
 * Makes a workspace whose owner is the given user.
 * @throws ValidationError; ConflictError when the slug is taken
 */
export async function createWorkspace(
  deps: Deps,
  userId: string,
  input: z.input<typeof CreateWorkspace>,
): Promise<WorkspaceWithMembers> {
  const data = parse(CreateWorkspace, input)
  try {
    return await deps.db.prisma.workspace.create({
      data: { id: newId('workspace'), ...data, members: { create: { id: newId('member'), userId, role: 'OWNER' } } },
      include: MEMBERS,
    })
  } catch (error) {
    if (isUniqueViolation(error)) throw new ConflictError('That slug is taken')
    throw error
  }
}

/**
 * Adds a person, known or new, by email address.
 * @throws ConflictError when they are a member already
 */
export async function addMember(deps: Deps, actor: Actor, input: z.input<typeof AddMember>): Promise<MemberWithUser> {
  requireLevel(actor, 'FULL_ACCESS')
  requireNotAgent(actor, 'manage members')
  const { email: address, name = address, role } = parse(AddMember, input)
  const { workspaceId } = actor
  try {
    return await inTransaction(deps, async (tx) => {
      const user = await tx.db.user.upsert({
        where: { email: address },
        create: { id: newId('user'), email: address, name },
        update: {},
      })
      const data = { id: newId('member'), workspaceId, userId: user.id, role }
      const member = await tx.db.member.create({ data, include: { user: true } })
      const entry = { action: 'member.joined', target: targetOf(member), data: { role }, at: deps.clock.now() } as const
      await recordAudit(tx, actor, entry)
      return member
    })
  } catch (error) {
    if (isUniqueViolation(error)) throw new ConflictError('That person is a member already')
    throw error
  }
}

/** @throws NotFoundError; ConflictError when it would leave the workspace without an owner */
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
 * Removes a member: their conversations become unassigned, their keys stop working here at once.
 * @throws NotFoundError; ConflictError for the last owner
 */
export async function removeMember(deps: Deps, actor: Actor, memberId: string): Promise<void> {
  requireLevel(actor, 'FULL_ACCESS')
  requireNotAgent(actor, 'manage members')
  requireId('member', memberId, 'Member')
  await inTransaction(deps, async (tx) => {
    const member = await lockMember(tx, actor, memberId)
    if (member.role === 'OWNER') await requireAnotherOwner(tx, member)
    const { workspaceId } = actor
    const left = { where: { workspaceId, assigneeId: memberId }, data: { assigneeId: null }, select: { id: true } }
    const at = deps.clock.now()
    for (const { id } of await tx.db.conversation.updateManyAndReturn(left)) {
      const data = { conversationId: id, changed: ['assigneeId'], workspaceId }
      const envelope = { workspaceId, conversationId: id, actor: refOf(actor), at }
      await recordEvent(tx, deps.bus, { ...envelope, type: 'conversation.updated', data })
    }
    const removed = await tx.db.member.delete({ where: { id: memberId }, include: { user: true } })
    const data = { role: removed.role, userId: removed.userId }
    await recordAudit(tx, actor, { action: 'member.removed', target: targetOf(removed), data, at })
  })
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
