import { randomBytes } from 'node:crypto'
import { prismaAdapter } from 'better-auth/adapters/prisma'
import { betterAuth } from 'better-auth/minimal'
import type { Origin } from '../domain/actor.ts'
import {
  type AuditAction,
  type AuditActor,
  type AuditTarget,
  personOf,
  recordAudit,
  systemAuditor,
} from '../domain/audit.ts'
import type { Deps } from '../domain/deps.ts'
import { RateLimitedError, UnauthorizedError } from '../domain/errors.ts'
import { newId } from '../domain/ids.ts'
import { addressBlock } from '../infra/client-address.ts'
import { PASSWORD_LENGTH } from '../infra/passwords.ts'
import { sha256 } from '../infra/secrets.ts'
import { inTransaction } from '../infra/transaction.ts'
import { countTry } from '../infra/try-limit.ts'
import { SESSION_DAYS, type SessionTokens, setCookie, signToken } from './session-token.ts'

export const LINK_MS = 24 * 3_600_000
export const TRY_WINDOW_MS = 15 * 60_000
/** Within that window: guessing one account from one place, from everywhere, and guessing around. */
export const MAX_TRIES = { accountAndAddress: 10, account: 100, address: 50 } as const

export interface SignedIn {
  /** The session's credential, for "Authorization: Bearer …". */
  readonly token: string
  /** The same as a Set-Cookie value. */
  readonly cookie: string
  readonly user: { readonly id: string; readonly name: string; readonly email: string }
}

/** How people get in. */
export interface People {
  /** @throws UnauthorizedError, the same whether address or password is wrong; RateLimitedError */
  signIn(input: { email: string; password: string }, origin: Origin): Promise<SignedIn>
  /** A token that signs a known person in, once, within 24 hours; null when nobody has that address. */
  makeLink(email: string): Promise<string | null>
  /** @throws UnauthorizedError for a token that is unknown, used or too old */
  openLink(token: string, origin: Origin): Promise<SignedIn>
  /** Opens a session for somebody who has proven already who they are. */
  openSession(userId: string, origin: Origin | null): Promise<SignedIn>
}

/**
 * better-auth checks passwords, keeps sessions and links. It is used by its server-side interface alone: none of its
 * HTTP routes is mounted, so that nothing can be reached that is not called here.
 */
export function createPeople(deps: Deps, tokens: SessionTokens): People {
  const context = betterAuthContext(deps, tokens)

  const openSession: People['openSession'] = async (userId, origin) => {
    const { internalAdapter } = await context
    const user = await deps.db.prisma.user.findUniqueOrThrow({ where: { id: userId } })
    const { address = null, userAgent = null } = origin ?? {}
    const session = await internalAdapter.createSession(userId, false, { ipAddress: address, userAgent })
    // Nobody has its token before it is in the audit log.
    await note(deps, personOf({ user, origin }), 'session.created', { type: 'session', id: session.id })
    const credential = signToken(tokens, session.token)
    const { id, name, email } = user
    return { token: credential, cookie: setCookie(tokens, credential), user: { id, name, email } }
  }

  return {
    openSession,
    async signIn({ email, password }, origin) {
      await refuseGuessing(deps, email, origin)
      const { internalAdapter, password: passwords } = await context
      const found = await internalAdapter.findUserByEmail(email, { includeAccounts: true })
      const hash = found?.accounts.find(({ providerId }) => providerId === 'credential')?.password
      // Somebody unknown costs as much work as somebody known.
      if (!hash) await passwords.hash(password)
      if (found && hash && (await passwords.verify({ hash, password }))) return openSession(found.user.id, origin)
      await noteFailure(deps, found?.user ?? null, origin)
      throw new UnauthorizedError('The email address or the password is wrong')
    },
    async makeLink(email) {
      const user = await deps.db.prisma.user.findUnique({ where: { email } })
      if (user === null) return null
      const { internalAdapter } = await context
      const token = randomBytes(32).toString('base64url')
      const expiresAt = new Date(deps.clock.now().getTime() + LINK_MS)
      await internalAdapter.createVerificationValue({ identifier: linkId(token), value: user.id, expiresAt })
      await note(deps, systemAuditor(null), 'sign_in_link.created', { type: 'user', id: user.id, name: user.name })
      return token
    },
    async openLink(token, origin) {
      const { internalAdapter } = await context
      const link = await internalAdapter.consumeVerificationValue(linkId(token))
      if (!link || link.expiresAt <= deps.clock.now()) {
        throw new UnauthorizedError('This sign-in link was used already or is too old: ask for another one')
      }
      return openSession(link.value, origin)
    },
  }
}

/** Only the token's hash is kept. */
const linkId = (token: string) => `sign-in-link:${sha256(token)}`

const KINDS = { account: 'account', session: 'session', user: 'user', verification: 'verification' } as const

function betterAuthContext(deps: Deps, tokens: SessionTokens) {
  const auth = betterAuth({
    // Unused, as its routes and cookies are; asked for all the same.
    baseURL: 'http://localhost',
    secret: tokens.secret,
    // Without transactions around its calls: the embedded database has one connection.
    database: prismaAdapter(deps.db.prisma, { provider: 'postgresql' }),
    telemetry: { enabled: false },
    logger: { level: 'warn', log: (level, message, ...details) => deps.log[level]({ details }, message) },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: PASSWORD_LENGTH.min,
      maxPasswordLength: PASSWORD_LENGTH.max,
    },
    session: { expiresIn: SESSION_DAYS * 86_400, fields: { ipAddress: 'address' } },
    advanced: {
      ipAddress: { disableIpTracking: true },
      database: {
        // Our tables have the columns of passwords, sessions and links; it would miss those of OAuth.
        validateSchema: false,
        generateId: ({ model }) => {
          if (!(model in KINDS)) throw new Error(`better-auth makes a ${model}, which has no id prefix`)
          return newId(KINDS[model as keyof typeof KINDS])
        },
      },
    },
  })
  return auth.$context
}

/** @throws RateLimitedError */
async function refuseGuessing(deps: Deps, email: string, { address }: Origin): Promise<void> {
  const account = sha256(email)
  const block = addressBlock(address)
  const wait = await countTry(deps, TRY_WINDOW_MS, [
    { key: `sign-in ${account} ${block}`, max: MAX_TRIES.accountAndAddress },
    { key: `sign-in ${account}`, max: MAX_TRIES.account },
    { key: `sign-in from ${block}`, max: MAX_TRIES.address },
  ])
  if (wait !== null) throw new RateLimitedError('Too many tries to sign in', wait)
}

async function noteFailure(deps: Deps, user: { id: string; name: string } | null, origin: Origin): Promise<void> {
  const nobody = { type: 'anonymous', id: 'anonymous', name: 'Somebody', workspaceId: null, user: null } as const
  // Of an unknown address nothing is kept: people type passwords into the wrong field.
  const target = { type: 'user', id: user?.id ?? 'unknown', name: user?.name ?? null } as const
  await note(deps, { ...nobody, origin }, 'session.failed', target)
}

/** better-auth writes by itself; what it did is recorded right after it. */
async function note(deps: Deps, actor: AuditActor, action: AuditAction, target: AuditTarget): Promise<void> {
  await inTransaction(deps, (tx) => recordAudit(tx, actor, { action, target, at: deps.clock.now() }))
}
