import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Invitation } from '../../generated/prisma/client.ts'
import { MemberRole } from '../../generated/prisma/enums.ts'
import { inTransaction, type Tx } from '../../infra/database/transaction.ts'
import { throttleAttempt } from '../../infra/login-throttle.ts'
import { sha256 } from '../../infra/secrets.ts'
import { type AuditTarget, recordAudit } from '../audit/audit.ts'
import type { Actor } from '../shared/actor.ts'
import { hasLevel, requireLevel, requireMayManage, requireNotAgent } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { ConflictError, NotFoundError, RateLimitedError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { email, parse, requireId } from '../shared/input.ts'
import { newestFirst, type Page, type PageRequest } from '../shared/pagination.ts'
import { invitationMail } from './mails.ts'

export const VALID_MS = 7 * 86_400_000
const MAIL_WINDOW_MS = 3_600_000
/** Limits within that window: mails by one person, and mails to one address. */
const MAX_MAILS = { person: 100, address: 5 } as const

export const InviteMember = z.object({ email, role: z.enum(MemberRole) })

/**
 * Invites a person by email address. Inviting them again creates a new link and revokes the old one.
 * @returns the invitation, and its link, which cannot be read again; null when the link was mailed to the address
 * @throws ForbiddenError below FULL_ACCESS, for agents, and for owners if the actor is none; ValidationError;
 *   ConflictError when the person is already a member; RateLimitedError after too many mails
 */
export async function inviteMember(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof InviteMember>,
): Promise<{ invitation: Invitation; link: string | null }> {
  requireManager(actor)
  const { email, role } = parse(InviteMember, input)
  requireMayManage(actor, role)
  const { mail } = deps
  if (mail !== undefined) await limitMails(deps, actor, email)
  const token = randomBytes(32).toString('base64url')
  const link = `${deps.publicUrl}/invitations/${token}`
  const mailings: ReturnType<typeof mailLink>[] = []
  const invitation = await replaceInvitation(deps, actor, { email, role, token }, (tx, { id, workspace }) => {
    if (mail === undefined) return
    const content = invitationMail({ to: email, link, workspace: workspace.name })
    // A link that was sent must be there.
    tx.afterCommit(() => void mailings.push(mailLink(deps, id, mail.send(content))))
  })
  if (mail === undefined) return { invitation, link }
  // In a transaction that is held open, the mail waits for its commit, and nobody waits for the mail.
  const [mailStatus = invitation.mailStatus] = await Promise.all(mailings)
  return { invitation: { ...invitation, mailStatus }, link: null }
}

/** Waits for a mail to be sent, and writes down whether it was. Never fails: the invitation is there. */
async function mailLink(deps: Deps, invitationId: string, sending: Promise<unknown>): Promise<'SENT' | 'FAILED'> {
  const failed = (error: unknown) => {
    deps.log.error({ err: error, invitationId }, 'invitation mail not sent')
    return 'FAILED' as const
  }
  const mailStatus = await sending.then(() => 'SENT' as const, failed)
  // It may be gone: accepted in this moment, revoked, or made anew.
  await deps.db.prisma.invitation.updateMany({ where: { id: invitationId }, data: { mailStatus } }).catch((error) => {
    deps.log.error({ err: error, invitationId }, 'state of an invitation mail not written')
  })
  return mailStatus
}

interface NewInvitation {
  readonly email: string
  readonly role: MemberRole
  readonly token: string
}

type InvitationOfWorkspace = Invitation & { readonly workspace: { readonly name: string } }

/** @param made called in the transaction that makes it */
async function replaceInvitation(
  deps: Deps,
  actor: Actor,
  { email, role, token }: NewInvitation,
  made: (tx: Tx, invitation: InvitationOfWorkspace) => void,
): Promise<Invitation> {
  const mailStatus = deps.mail === undefined ? null : ('PENDING' as const)
  const { workspaceId } = actor
  const now = deps.clock.now()
  return inTransaction(deps, async (tx) => {
    await lockWorkspace(tx, workspaceId)
    if ((await tx.db.member.count({ where: { workspaceId, user: { email } } })) > 0) throw alreadyMember()
    const before = await tx.db.invitation.findUnique({ where: { workspaceId_email: { workspaceId, email } } })
    if (before !== null) {
      requireMayManage(actor, before.role)
      await tx.db.invitation.delete({ where: { id: before.id } })
    }
    const expiresAt = new Date(now.getTime() + VALID_MS)
    const row = { id: newId('invitation'), workspaceId, email, role, tokenHash: sha256(token), mailStatus }
    const invitation = await tx.db.invitation.create({
      data: { ...row, expiresAt, createdAt: now },
      include: { workspace: { select: { name: true } } },
    })
    const data = { role, ...(mailStatus !== null && { mailed: true }) }
    await recordAudit(tx, actor, { action: 'member.invited', target: targetOf(invitation), data, at: now })
    made(tx, invitation)
    return invitation
  })
}

/** Limits mails, because they go to arbitrary addresses. @throws RateLimitedError */
async function limitMails(deps: Deps, { user }: Actor, email: string): Promise<void> {
  const refused = await throttleAttempt(deps, MAIL_WINDOW_MS, [
    { key: `invitation mail by ${user?.id}`, max: MAX_MAILS.person },
    { key: `invitation mail to ${sha256(email)}`, max: MAX_MAILS.address },
  ])
  if (refused !== null) throw new RateLimitedError('Too many invitation emails were sent', refused.waitMs)
}

/**
 * The invitations that can still be accepted and that an actor may see, as a Prisma filter; null: none, below FULL_ACCESS and
 * for agents.
 */
export function visibleInvitations(actor: Actor, now: Date): { workspaceId: string; expiresAt: { gt: Date } } | null {
  if (actor.type === 'agent' || !hasLevel(actor.permission, 'FULL_ACCESS')) return null
  return { workspaceId: actor.workspaceId, expiresAt: { gt: now } }
}

/** Those of these ids, by id. */
export async function invitationsById(
  { db, clock }: Pick<Deps, 'db' | 'clock'>,
  actor: Actor,
  ids: readonly string[],
): Promise<Map<string, Invitation>> {
  const visible = visibleInvitations(actor, clock.now())
  if (visible === null) return new Map()
  const invitations = await db.prisma.invitation.findMany({ where: { id: { in: [...ids] }, ...visible } })
  return new Map(invitations.map((invitation) => [invitation.id, invitation]))
}

/** The invitations that can still be accepted, newest first. @throws ForbiddenError below FULL_ACCESS and for agents */
export async function listInvitations(deps: Deps, actor: Actor, page: PageRequest): Promise<Page<Invitation>> {
  requireManager(actor)
  const where = { workspaceId: actor.workspaceId, expiresAt: { gt: deps.clock.now() } }
  const { invitation } = deps.db.prisma
  return newestFirst(page, {
    find: (range) => invitation.findMany({ ...range, where: { AND: [where, range.where] } }),
    count: () => invitation.count({ where }),
  })
}

/**
 * Revokes an invitation and its link at once.
 * @throws ForbiddenError below FULL_ACCESS, for agents, and for an owner's invitation; NotFoundError
 */
export async function revokeInvitation(deps: Deps, actor: Actor, id: string): Promise<void> {
  requireManager(actor)
  requireId('invitation', id, 'Invitation')
  await inTransaction(deps, async (tx) => {
    await lockWorkspace(tx, actor.workspaceId)
    const found = await tx.db.invitation.findFirst({ where: { id, workspaceId: actor.workspaceId } })
    if (found === null) throw new NotFoundError('Invitation')
    requireMayManage(actor, found.role)
    await tx.db.invitation.delete({ where: { id } })
    await recordAudit(tx, actor, { action: 'invitation.revoked', target: targetOf(found), at: deps.clock.now() })
  })
}

/** Serializes the creation and the acceptance of invitations, without blocking other changes of the workspace. */
export async function lockWorkspace(tx: Tx, workspaceId: string): Promise<void> {
  await tx.db.$queryRaw`SELECT id FROM workspaces WHERE id = ${workspaceId} FOR NO KEY UPDATE`
}

function requireManager(actor: Actor): void {
  requireLevel(actor, 'FULL_ACCESS')
  requireNotAgent(actor, 'manage members')
}

function targetOf({ id, email }: Invitation): AuditTarget {
  return { type: 'invitation', id, name: email }
}

const alreadyMember = () => new ConflictError('This person is already a member of the workspace', 'email')
