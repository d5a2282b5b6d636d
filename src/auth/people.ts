import { randomBytes } from 'node:crypto'
import {
  type AuditActor,
  type AuditTarget,
  anonymousAt,
  personOf,
  recordAudit,
  systemAuditor,
} from '../domain/audit/audit.ts'
import { lockUser, verifyEmail } from '../domain/identity/verify-email.ts'
import type { Origin } from '../domain/shared/actor.ts'
import type { Deps } from '../domain/shared/deps.ts'
import { UnauthorizedError } from '../domain/shared/errors.ts'
import { newId } from '../domain/shared/ids.ts'
import { inTransaction, type Tx } from '../infra/database/transaction.ts'
import { hashPassword, isPassword } from '../infra/passwords.ts'
import { sha256 } from '../infra/secrets.ts'
import { SESSION_DAYS, type SessionTokens, setCookie, signToken } from './session-token.ts'
import { rememberAddress, throttleSignIn } from './sign-in-throttle.ts'

const DAY_MS = 86_400_000
export const LINK_MS = DAY_MS
/** The time after signing in by a link in which a password can be set without the current one. */
const PASSWORD_RESET_MS = 3_600_000

export interface SignedIn {
  /** The credential of the session, for "Authorization: Bearer …". */
  readonly token: string
  /** The same as a Set-Cookie value. */
  readonly cookie: string
  readonly user: { readonly id: string; readonly name: string; readonly email: string }
}

/** The ways of signing in. */
export interface People {
  /** @throws UnauthorizedError, the same for an unknown address and a wrong password; RateLimitedError */
  signIn(input: { email: string; password: string }, origin: Origin): Promise<SignedIn>
  /**
   * Creates a token that signs a person in once, within 24 hours; null when no user has the address.
   * @param askedFrom the origin of a person who requested a mail; null: the operator creates it
   */
  makeLink(email: string, askedFrom?: Origin | null): Promise<string | null>
  /** Signs in by a link, which verifies its address. @throws UnauthorizedError for an unknown, used or expired token */
  openLink(token: string, origin: Origin): Promise<SignedIn>
  /** Starts a session for a person who has already proven their identity. */
  openSession(userId: string, origin: Origin | null): Promise<SignedIn>
}

/** The reason for a session. */
interface SessionUser {
  readonly id: string
  readonly name: string
  readonly email: string
}

interface Opening {
  readonly origin: Origin | null
  readonly by: 'password' | 'link'
}

export function createPeople(deps: Deps, tokens: SessionTokens): People {
  /** The token of a session is returned after its audit entry was committed. */
  async function open(tx: Tx, { id, name, email }: SessionUser, { origin, by }: Opening): Promise<SignedIn> {
    const at = deps.clock.now()
    const token = randomBytes(32).toString('base64url')
    const data = {
      id: newId('session'),
      userId: id,
      token,
      address: origin?.address ?? null,
      userAgent: origin?.userAgent ?? null,
      passwordResetUntil: by === 'link' ? new Date(at.getTime() + PASSWORD_RESET_MS) : null,
      expiresAt: new Date(at.getTime() + SESSION_DAYS * DAY_MS),
    }
    await tx.db.session.create({ data })
    const target = { type: 'session', id: data.id } as const
    const entry = { action: 'session.created', target, data: { by }, at } as const
    await recordAudit(tx, personOf({ user: { id, name }, origin }), entry)
    await rememberAddress(tx, id, origin, at)
    const credential = signToken(tokens, token)
    return { token: credential, cookie: setCookie(tokens, credential), user: { id, name, email } }
  }

  return {
    async openSession(userId, origin) {
      const user = await deps.db.prisma.user.findUniqueOrThrow({ where: { id: userId } })
      return inTransaction(deps, (tx) => open(tx, user, { origin, by: 'password' }))
    },

    async signIn({ email, password }, origin) {
      const refusal = await throttleSignIn(deps, email, origin)
      const user = await deps.db.prisma.user.findUnique({ where: { email }, include: { accounts: CREDENTIALS } })
      const hash = user?.accounts[0]?.password ?? null
      // An unknown address takes as much time as a known one.
      if (hash === null) await hashPassword(password)
      if (user === null || hash === null || !(await isPassword(hash, password))) {
        await noteFailure(deps, user, origin)
        throw refusal ?? wrong()
      }
      return inTransaction(deps, async (tx) => {
        const signedIn = await open(tx, user, { origin, by: 'password' })
        // The session's row waited for a password change or a sign-out, so the check must be repeated.
        const same = { userId: user.id, ...CREDENTIALS.where, password: hash }
        if ((await tx.db.account.count({ where: same })) === 0) throw wrong()
        return signedIn
      })
    },

    async makeLink(email, askedFrom = null) {
      const user = await deps.db.prisma.user.findUnique({ where: { email } })
      if (user === null) return null
      const token = randomBytes(32).toString('base64url')
      const at = deps.clock.now()
      const expiresAt = new Date(at.getTime() + LINK_MS)
      const actor: AuditActor = askedFrom === null ? systemAuditor(null) : anonymousAt(askedFrom)
      await inTransaction(deps, async (tx) => {
        const data = { id: newId('verification'), identifier: linkId(token), value: user.id, expiresAt }
        await tx.db.verification.create({ data })
        const target = { type: 'user', id: user.id, name: user.name } as const
        await recordAudit(tx, actor, { action: 'sign_in_link.created', target, at })
      })
      return token
    },

    async openLink(token, origin) {
      const at = deps.clock.now()
      return inTransaction(deps, async (tx) => {
        const found = await tx.db.verification.findFirst({
          where: { identifier: linkId(token), expiresAt: { gt: at } },
        })
        if (found === null) throw usedUp()
        // Locked in the same order as in a password change.
        await lockUser(tx, found.value)
        // Of several concurrent uses, one deletes the row.
        if ((await tx.db.verification.deleteMany({ where: { id: found.id } })).count === 0) throw usedUp()
        const user = await tx.db.user.findUniqueOrThrow({ where: { id: found.value } })
        await verifyEmail(tx, { user, origin }, at)
        return open(tx, user, { origin, by: 'link' })
      })
    },
  }
}

const CREDENTIALS = { where: { providerId: 'credential' } } as const

/** Stores only the hash of the token. */
const linkId = (token: string) => `sign-in-link:${sha256(token)}`

const usedUp = () => new UnauthorizedError('This sign-in link was already used or has expired: request a new one')
const wrong = () => new UnauthorizedError('The email address or password is incorrect')

async function noteFailure(deps: Deps, user: { id: string; name: string } | null, origin: Origin): Promise<void> {
  // An unknown address is not recorded: people type passwords into the wrong field.
  const target: AuditTarget = { type: 'user', id: user?.id ?? 'unknown', name: user?.name ?? null }
  const entry = { action: 'session.failed', target, at: deps.clock.now() } as const
  await inTransaction(deps, (tx) => recordAudit(tx, anonymousAt(origin), entry))
}
