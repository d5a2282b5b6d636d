import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Invitation } from '../generated/prisma/client.ts'
import { MemberRole } from '../generated/prisma/enums.ts'
import { isUniqueViolation } from '../infra/db.ts'
import { hashPassword } from '../infra/passwords.ts'
import { sha256 } from '../infra/secrets.ts'
import { inTransaction, type Tx } from '../infra/transaction.ts'
import type { Actor, Caller, Origin } from './actor.ts'
import { type AuditTarget, personOf, recordAudit } from './audit.ts'
import type { Deps } from './deps.ts'
import { ConflictError, ForbiddenError, NotFoundError, ValidationError } from './errors.ts'
import { newId } from './ids.ts'
import { email, parse, requireId } from './input.ts'
import { newestFirst, type Page, type PageRequest } from './page.ts'
import { createCredential, NewPassword } from './passwords.ts'
import { requireLevel, requireMayManage, requireNotAgent } from './policy.ts'
import { Name } from './users.ts'

export const VALID_MS = 7 * 86_400_000

export const InviteMember = z.object({ email, role: z.enum(MemberRole) })
export const AcceptInvitation = z.object({
  token: z.string().max(200),
  name: Name.nullish(),
  password: NewPassword.nullish(),
})

/**
 * Invites a person by email address. Inviting them again makes a new link, and the old one worthless.
 * @returns the invitation, and its link, which cannot be read again
 * @throws ForbiddenError below FULL_ACCESS, for agents, and where owners are concerned; ValidationError; ConflictError
 *   when they are a member already
 */
export async function inviteMember(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof InviteMember>,
): Promise<{ invitation: Invitation; link: string }> {
  requireManager(actor)
  const { email, role } = parse(InviteMember, input)
  requireMayManage(actor, role)
  const { workspaceId } = actor
  const token = randomBytes(32).toString('base64url')
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
    const row = { id: newId('invitation'), workspaceId, email, role, tokenHash: sha256(token) }
    const invitation = await tx.db.invitation.create({ data: { ...row, expiresAt, createdAt: now } })
    await recordAudit(tx, actor, { action: 'member.invited', target: targetOf(invitation), data: { role }, at: now })
    return { invitation, link: `${deps.publicUrl}/invitations/${token}` }
  })
}

/** The invitations that can still be accepted, newest first. @throws ForbiddenError below FULL_ACCESS and for agents */
export async function listInvitations(deps: Deps, actor: Actor, page: PageRequest): Promise<Page<Invitation>> {
  requireManager(actor)
  const where = { workspaceId: actor.workspaceId, expiresAt: { gt: deps.clock.now() } }
  const { invitation } = deps.db.prisma
  return newestFirst(page, {
    find: (slice) => invitation.findMany({ ...slice, where: { AND: [where, slice.where] } }),
    count: () => invitation.count({ where }),
  })
}

/**
 * Makes an invitation's link worthless at once.
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

/** What somebody with a link may know before they accept. */
export interface InvitationOffer extends Pick<Invitation, 'email' | 'role' | 'expiresAt'> {
  readonly workspaceName: string
  /** Whoever has an account accepts by signing in; anybody else chooses a name and a password. */
  readonly hasAccount: boolean
}

/** What a link's token offers; null when it is unknown, used, revoked or too old. */
export async function findInvitation(deps: Deps, token: string): Promise<InvitationOffer | null> {
  const found = await openInvitation(deps, token)
  if (found === null) return null
  const { email, role, expiresAt, workspace } = found
  const hasAccount = (await deps.db.prisma.user.count({ where: { email } })) > 0
  return { email, role, expiresAt, workspaceName: workspace.name, hasAccount }
}

/**
 * Makes the invited person a member: a new one with the given name and password, or the one who is signed in with the
 * invited address. Of several who accept at once, one does.
 * @throws NotFoundError for a link that is unknown, used, revoked or too old; ForbiddenError for somebody with an account
 *   who is not signed in, or for somebody else; ValidationError; ConflictError for who is a member already
 */
export async function acceptInvitation(
  deps: Deps,
  { caller, origin }: { readonly caller: Caller | null; readonly origin: Origin },
  input: z.input<typeof AcceptInvitation>,
): Promise<{ workspaceId: string; email: string }> {
  const { token, name, password } = parse(AcceptInvitation, input)
  const found = await openInvitation(deps, token)
  if (found === null) throw gone()
  const { workspaceId, email, role } = found
  const existing = await deps.db.prisma.user.findUnique({ where: { email } })
  if (existing?.id !== caller?.user.id) throw otherPerson(email, existing !== null)
  const person = existing ?? newPerson(email, name, password)
  const hash = existing === null && password ? await hashPassword(password) : null
  const at = deps.clock.now()
  try {
    await inTransaction(deps, async (tx) => {
      await lockWorkspace(tx, workspaceId)
      const { count } = await tx.db.invitation.deleteMany({ where: { id: found.id } })
      if (count === 0) throw gone()
      if (hash !== null) {
        await tx.db.user.create({ data: { id: person.id, email, name: person.name } })
        await createCredential(tx, person.id, hash)
      }
      const memberId = newId('member')
      await tx.db.member.create({ data: { id: memberId, workspaceId, userId: person.id, role, createdAt: at } })
      const actor = { ...personOf({ user: person, origin }), workspaceId }
      const target = { type: 'member', id: memberId, name: person.name } as const
      await recordAudit(tx, actor, { action: 'member.joined', target, data: { role }, at })
    })
  } catch (error) {
    // Meanwhile they joined otherwise, or got an account by another workspace's invitation.
    if (isUniqueViolation(error))
      throw new ConflictError('This address got an account at the same moment: sign in first')
    throw error
  }
  return { workspaceId, email }
}

function newPerson(email: string, name: string | null | undefined, password: string | null | undefined) {
  const missing = Object.entries({ name, password }).filter(([, value]) => value == null)
  if (missing.length > 0 || name == null) {
    throw new ValidationError(missing.map(([path]) => ({ path, message: `is required: ${email} has no account yet` })))
  }
  return { id: newId('user'), name }
}

async function openInvitation(deps: Deps, token: string) {
  return deps.db.prisma.invitation.findFirst({
    where: { tokenHash: sha256(token), expiresAt: { gt: deps.clock.now() } },
    include: { workspace: { select: { name: true } } },
  })
}

/** Invitations and their acceptance one after the other; whatever else happens in the workspace goes on. */
async function lockWorkspace(tx: Tx, workspaceId: string): Promise<void> {
  await tx.db.$queryRaw`SELECT id FROM workspaces WHERE id = ${workspaceId} FOR NO KEY UPDATE`
}

function requireManager(actor: Actor): void {
  requireLevel(actor, 'FULL_ACCESS')
  requireNotAgent(actor, 'manage members')
}

function targetOf({ id, email }: Invitation): AuditTarget {
  return { type: 'invitation', id, name: email }
}

const alreadyMember = () => new ConflictError('That person is a member already')
const gone = () => new NotFoundError('Invitation', 'it was used, revoked or is too old; ask for another one')

function otherPerson(email: string, hasAccount: boolean): ForbiddenError {
  return new ForbiddenError(
    hasAccount ? `Sign in as ${email} first` : `This invitation is for ${email}: sign out first, then accept it anew`,
  )
}
