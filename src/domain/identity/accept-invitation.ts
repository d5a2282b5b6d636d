import { z } from 'zod'
import type { Invitation, User } from '../../generated/prisma/client.ts'
import { isUniqueViolation } from '../../infra/database/db.ts'
import { inTransaction, type Tx } from '../../infra/database/transaction.ts'
import { hashPassword } from '../../infra/passwords.ts'
import { sha256 } from '../../infra/secrets.ts'
import { personOf, recordAudit } from '../audit/audit.ts'
import type { Caller, Origin } from '../shared/actor.ts'
import type { Deps } from '../shared/deps.ts'
import { ConflictError, ForbiddenError, NotFoundError, ValidationError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { parse } from '../shared/input.ts'
import { lockWorkspace } from './invitations.ts'
import { createCredential, NewPassword } from './passwords.ts'
import { Name } from './users.ts'
import { verifyEmail } from './verify-email.ts'

export const AcceptInvitation = z.object({
  token: z.string().max(200),
  name: Name.nullish(),
  password: NewPassword.nullish(),
})

/** The parts of an invitation that the holder of its link can see before accepting it. */
export interface InvitationOffer extends Pick<Invitation, 'email' | 'role' | 'expiresAt'> {
  readonly workspaceName: string
  /** Whether the person must sign in to accept; otherwise they choose a name and a password. */
  readonly hasAccount: boolean
  /** Whether the address of that account must be verified first. */
  readonly mustVerifyEmail: boolean
}

/** The invitation for a token; null when the token is unknown, used, revoked or expired. */
export async function findInvitation(deps: Deps, token: string): Promise<InvitationOffer | null> {
  const found = await openInvitation(deps, token)
  if (found === null) return null
  const { email, role, expiresAt, workspace } = found
  const how = acceptanceOf(found, await deps.db.prisma.user.findUnique({ where: { email } }))
  const offer = { email, role, expiresAt, workspaceName: workspace.name }
  return {
    ...offer,
    hasAccount: how === 'as_themselves' || how === 'verify_first',
    mustVerifyEmail: how === 'verify_first',
  }
}

/**
 * - `as_new`: no account has the address; the person chooses a name and a password.
 * - `as_themselves`: a verified account has the address; the person signs in.
 * - `verify_first`: an unverified account has the address, and the inviter may know the link, so the link proves
 *   nothing.
 * - `by_proof`: an unverified account has the address, and the link was sent only there, so its holder owns the address
 *   and takes over the account.
 */
type Acceptance = 'as_new' | 'as_themselves' | 'verify_first' | 'by_proof'

function acceptanceOf({ mailStatus }: Pick<Invitation, 'mailStatus'>, existing: User | null): Acceptance {
  if (existing === null) return 'as_new'
  if (existing.emailVerifiedAt !== null) return 'as_themselves'
  return mailStatus === null ? 'verify_first' : 'by_proof'
}

/**
 * Makes the invited person a member: a new one with the given name and password, or the person who is signed in with
 * the invited address. A mailed link verifies the address. Of several concurrent calls, one succeeds.
 * @throws NotFoundError for an unknown, used, revoked or expired link; ForbiddenError when an account has the address
 *   and its person is not signed in, or its address is not verified; ValidationError; ConflictError when the person is
 *   already a member
 */
export async function acceptInvitation(
  deps: Deps,
  { caller, origin }: { readonly caller: Caller | null; readonly origin: Origin },
  input: z.input<typeof AcceptInvitation>,
): Promise<{ workspaceId: string; email: string }> {
  const { token, name, password } = parse(AcceptInvitation, input)
  const found = await openInvitation(deps, token)
  if (found === null) throw invitationNotFound()
  const { workspaceId, email, role } = found
  const existing = await deps.db.prisma.user.findUnique({ where: { email } })
  const how = acceptanceOf(found, existing)
  const person = personFor(how, { email, existing, caller, name, password })
  const hash = person.password === null ? null : await hashPassword(person.password)
  const at = deps.clock.now()
  try {
    await inTransaction(deps, async (tx) => {
      await lockWorkspace(tx, workspaceId)
      const { count } = await tx.db.invitation.deleteMany({ where: { id: found.id } })
      if (count === 0) throw invitationNotFound()
      const user = { id: person.id, name: person.name }
      if (how === 'as_new') {
        const emailVerifiedAt = found.mailStatus === null ? null : at
        await tx.db.user.create({ data: { ...user, email, emailVerifiedAt } })
      }
      if (how === 'by_proof') await takeOverAccount(tx, { user, origin }, at)
      if (hash !== null) await createCredential(tx, user.id, hash)
      const memberId = newId('member')
      await tx.db.member.create({ data: { id: memberId, workspaceId, userId: user.id, role, createdAt: at } })
      const actor = { ...personOf({ user, origin }), workspaceId }
      const target = { type: 'member', id: memberId, name: user.name } as const
      await recordAudit(tx, actor, { action: 'member.joined', target, data: { role }, at })
    })
  } catch (error) {
    // Meanwhile, the person joined in another way, or got an account through the invitation of another workspace.
    if (isUniqueViolation(error)) throw accountConflict()
    throw error
  }
  return { workspaceId, email }
}

interface Accepting {
  readonly email: string
  readonly existing: User | null
  readonly caller: Caller | null
  readonly name: string | null | undefined
  readonly password: string | null | undefined
}

/** The person who joins, and their new password, if they choose one. @throws ForbiddenError, ValidationError */
function personFor(how: Acceptance, { email, existing, caller, name, password }: Accepting) {
  if (how === 'verify_first') throw unverified(email)
  if (how === 'as_themselves' && existing !== null) {
    if (existing.id !== caller?.user.id) throw new ForbiddenError(`Sign in as ${email} first`)
    return { id: existing.id, name: existing.name, password: null }
  }
  if (caller !== null && caller.user.id !== existing?.id) {
    throw new ForbiddenError(`This invitation is for ${email}: sign out, then accept it again`)
  }
  const missing = Object.entries({ name, password }).filter(([, value]) => value == null)
  if (name == null || password == null) {
    throw new ValidationError(missing.map(([path]) => ({ path, message: `is required: ${email} has no account yet` })))
  }
  return { id: existing?.id ?? newId('user'), name, password }
}

/**
 * The owner of an address takes over an unverified account with it. @throws ConflictError when that has just happened
 */
async function takeOverAccount(tx: Tx, who: Pick<Caller, 'user' | 'origin'>, at: Date): Promise<void> {
  if (!(await verifyEmail(tx, who, at))) throw accountConflict()
  await tx.db.user.update({ where: { id: who.user.id }, data: { name: who.user.name } })
}

async function openInvitation(deps: Deps, token: string) {
  return deps.db.prisma.invitation.findFirst({
    where: { tokenHash: sha256(token), expiresAt: { gt: deps.clock.now() } },
    include: { workspace: { select: { name: true } } },
  })
}

const invitationNotFound = () =>
  new NotFoundError('Invitation', 'it was used or revoked, or has expired; ask for a new one')
const accountConflict = () => new ConflictError('An account with this address was just created: sign in first')

const unverified = (email: string) =>
  new ForbiddenError(
    `Nobody has verified yet that the account of ${email} is theirs. Sign in once with a sign-in link that was sent to that ` +
      'address, then accept the invitation',
  )
