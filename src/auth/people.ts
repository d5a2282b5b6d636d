import { prismaAdapter } from 'better-auth/adapters/prisma'
import { isAPIError } from 'better-auth/api'
import { betterAuth } from 'better-auth/minimal'
import { magicLink } from 'better-auth/plugins/magic-link'
import type { Origin } from '../domain/actor.ts'
import { type AuditActor, recordAudit, systemAuditor } from '../domain/audit.ts'
import type { Deps } from '../domain/deps.ts'
import { DomainError, UnauthorizedError } from '../domain/errors.ts'
import { newId } from '../domain/ids.ts'
import { addressBlock } from '../infra/client-address.ts'
import { sha256 } from '../infra/secrets.ts'
import { inTransaction } from '../infra/transaction.ts'
import { countTry } from '../infra/try-limit.ts'
import { noteSignIn } from './session.ts'
import { COOKIE_PREFIX, SESSION_DAYS, type SessionTokens, setCookie, signToken } from './session-token.ts'

/** NIST SP 800-63B: length counts, composition rules do not. */
export const PASSWORD = { min: 10, max: 128 } as const
const LINK_HOURS = 24
const TRY_WINDOW_MS = 15 * 60_000
/** Within that window: guessing one account from one place, from everywhere, and guessing around. */
const MAX_TRIES = { accountAndAddress: 10, account: 100, address: 50 } as const

export interface SignedIn {
  /** The session's credential, for "Authorization: Bearer …". */
  readonly token: string
  /** The same as a Set-Cookie value. */
  readonly cookie: string
  readonly user: { readonly id: string; readonly name: string; readonly email: string }
}

/** How people get in and out. */
export interface People {
  /** @throws UnauthorizedError, the same whether address or password is wrong; TooManyTries */
  signIn(input: { email: string; password: string }, origin: Origin): Promise<SignedIn>
  /** Opens a link's session. Each link works once. @throws UnauthorizedError */
  openLink(token: string, origin: Origin): Promise<SignedIn>
  /** A token that signs a known person in, once, within 24 hours; null when nobody has that address. */
  makeLink(email: string): Promise<string | null>
  /** A session without a credential checked: for whoever has proven already who it is. */
  openSession(userId: string, origin: Origin | null): Promise<Pick<SignedIn, 'token' | 'cookie'>>
}

export class TooManyTries extends DomainError {
  readonly retryAfterSeconds: number

  constructor(waitMs: number) {
    const seconds = Math.ceil(waitMs / 1000)
    super('rate_limited', `Too many tries to sign in. Try again in ${Math.ceil(seconds / 60)} minutes`)
    this.retryAfterSeconds = seconds
  }
}

export interface PeopleSettings {
  readonly publicUrl: string
  readonly tokens: SessionTokens
}

export function createPeople(deps: Deps, settings: PeopleSettings): People {
  const { tokens } = settings
  const auth = configure(deps, settings)

  function signedIn(token: string, user: SignedIn['user']): SignedIn {
    const credential = signToken(tokens, token)
    const { id, name, email } = user
    return { token: credential, cookie: setCookie(tokens, credential), user: { id, name, email } }
  }

  return {
    async signIn({ email, password }, origin) {
      await refuseGuessing(deps, email, origin)
      try {
        const { token, user } = await auth.api.signInEmail({ body: { email, password }, headers: headersOf(origin) })
        return signedIn(token, user)
      } catch (error) {
        if (!isAPIError(error) || error.statusCode !== 401) throw error
        await noteFailure(deps, email, origin)
        throw new UnauthorizedError('The email address or the password is wrong')
      }
    },
    async openLink(token, origin) {
      try {
        const opened = await auth.api.magicLinkVerify({ query: { token }, headers: headersOf(origin) })
        return signedIn(opened.token, opened.user)
      } catch (error) {
        // It redirects to say that the token is unknown, used or too old.
        if (!isAPIError(error) || error.statusCode !== 302) throw error
        throw new UnauthorizedError('This sign-in link was used already or is too old: ask for another one')
      }
    },
    async makeLink(email) {
      const user = await deps.db.prisma.user.findUnique({ where: { email } })
      if (user === null) return null
      let made: string | null = null
      const hand = (token: string) => {
        made = token
      }
      await auth.api.signInMagicLink({ body: { email, metadata: { hand } }, headers: headersOf(null) })
      const target = { type: 'user', id: user.id, name: user.name } as const
      await inTransaction(deps, (tx) =>
        recordAudit(tx, systemAuditor(null), { action: 'sign_in_link.created', target, at: deps.clock.now() }),
      )
      return made
    },
    async openSession(userId, origin) {
      const { internalAdapter } = await auth.$context
      const { address = null, userAgent = null } = origin ?? {}
      const session = await internalAdapter.createSession(userId, false, { ipAddress: address, userAgent })
      const credential = signToken(tokens, session.token)
      return { token: credential, cookie: setCookie(tokens, credential) }
    },
  }
}

/** Headers that better-auth is called with. What clients send never gets there. */
const ADDRESS = 'x-guddesk-address'

function headersOf(origin: Origin | null): Headers {
  const { address = null, userAgent = null } = origin ?? {}
  return new Headers({
    ...(address !== null && { [ADDRESS]: address }),
    ...(userAgent !== null && { 'user-agent': userAgent }),
  })
}

const KINDS = { user: 'user', account: 'account', session: 'session', verification: 'verification' } as const

/**
 * better-auth checks passwords, keeps sessions and makes links. Its own HTTP routes are not mounted: what is not
 * called here cannot be reached.
 */
function configure(deps: Deps, { publicUrl, tokens }: PeopleSettings) {
  return betterAuth({
    baseURL: `${publicUrl}/api/auth`,
    secret: tokens.secret,
    // Without transactions of its own: the embedded database has one connection.
    database: prismaAdapter(deps.db.prisma, { provider: 'postgresql' }),
    telemetry: { enabled: false },
    // Its warnings are failed sign-ins, which the audit log has.
    logger: { level: 'error', log: (_level, message, ...details) => deps.log.error({ details }, message) },
    // Counted here, by account too, and for calls that do not come over its routes.
    rateLimit: { enabled: false },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: PASSWORD.min,
      maxPasswordLength: PASSWORD.max,
    },
    session: { expiresIn: SESSION_DAYS * 86_400, fields: { ipAddress: 'address' } },
    advanced: {
      cookiePrefix: COOKIE_PREFIX,
      useSecureCookies: tokens.isSecure,
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
    plugins: [
      magicLink({
        expiresIn: LINK_HOURS * 3600,
        disableSignUp: true,
        storeToken: 'hashed',
        // Handed to whoever asked: links are for the terminal, not for the post.
        sendMagicLink: ({ metadata, token }) => metadata?.['hand'](token),
      }),
    ],
    databaseHooks: {
      session: {
        create: {
          before: async (session, context) => {
            const headers = context?.headers
            if (!headers) return
            return {
              data: { ...session, ipAddress: headers.get(ADDRESS), userAgent: headers.get('user-agent') },
            }
          },
          after: async ({ id, userId, ipAddress = null, userAgent = null }) => {
            await noteSignIn(deps, { id, userId, address: ipAddress, userAgent })
          },
        },
      },
    },
  })
}

/** @throws TooManyTries */
async function refuseGuessing(deps: Deps, email: string, { address }: Origin): Promise<void> {
  const account = sha256(email)
  const block = addressBlock(address)
  const wait = await countTry(deps, TRY_WINDOW_MS, [
    { key: `sign-in ${account} ${block}`, max: MAX_TRIES.accountAndAddress },
    { key: `sign-in ${account}`, max: MAX_TRIES.account },
    { key: `sign-in from ${block}`, max: MAX_TRIES.address },
  ])
  if (wait !== null) throw new TooManyTries(wait)
}

async function noteFailure(deps: Deps, email: string, origin: Origin): Promise<void> {
  const user = await deps.db.prisma.user.findUnique({ where: { email } })
  const actor: AuditActor = {
    type: 'anonymous',
    id: 'anonymous',
    name: 'Somebody',
    workspaceId: null,
    user: null,
    origin,
  }
  // Of an unknown address nothing is kept: people type passwords into the wrong field.
  const target = { type: 'user', id: user?.id ?? 'unknown', name: user?.name ?? null } as const
  await inTransaction(deps, (tx) => recordAudit(tx, actor, { action: 'session.failed', target, at: deps.clock.now() }))
}
