import type Koa from 'koa'
import { z } from 'zod'
import type { Authenticator } from '../../auth/authenticate.ts'
import type { AuthFailureThrottle } from '../../auth/failure-throttle.ts'
import { type OwnOrigins, requireOwnOrigin } from '../../auth/own-origin.ts'
import type { People } from '../../auth/people.ts'
import { type SessionTokens, setCookie } from '../../auth/session-token.ts'
import { signInMail } from '../../domain/identity/mails.ts'
import { endSession } from '../../domain/identity/sessions.ts'
import type { Deps } from '../../domain/shared/deps.ts'
import { DomainError, NotFoundError, RateLimitedError, UnauthorizedError } from '../../domain/shared/errors.ts'
import { parse, text } from '../../domain/shared/input.ts'
import { personalAddress } from '../../infra/email-address.ts'
import { throttleAttempt } from '../../infra/login-throttle.ts'
import { addressBlock } from '../../infra/net/client-address.ts'
import { PASSWORD_LENGTH } from '../../infra/passwords.ts'
import { sha256 } from '../../infra/secrets.ts'
import { readJsonObject } from '../body.ts'
import { parseQueryString } from '../query-string.ts'
import { SIGN_IN_PAGE, SIGN_IN_PAGE_HEADERS } from './sign-in-page.ts'

export interface SignInDeps {
  readonly deps: Deps
  readonly people: People
  readonly authenticator: Authenticator
  readonly failures: AuthFailureThrottle
  readonly tokens: SessionTokens
  readonly own: OwnOrigins
  /** The path that browsers open after signing in. */
  readonly startPath: string
}

const LINK_PATH = '/api/auth/sign-in/link'

/** @param origin the public origin of the deployment, without a trailing slash */
export function signInUrl(origin: string, token: string): string {
  return `${origin}${LINK_PATH}?token=${encodeURIComponent(token)}`
}

/** An address in any form, such as owner@localhost. */
const Address = text(320).transform(personalAddress)
const Credentials = z.object({
  email: Address,
  password: z.string().min(1, 'must not be empty').max(PASSWORD_LENGTH.max),
})

/** An address to mail a link to. */
const Recipient = z.object({ email: Address })

const MAIL_WINDOW_MS = 15 * 60_000
/** The limits within that window: mails to one address, and requests from one origin. */
const MAX_MAILS = { address: 3, place: 20 } as const

type Handler = (context: SignInDeps, ctx: Koa.Context) => Promise<void>

/** All routes under /api/auth: path, method, handler. */
const ROUTES: Record<string, Partial<Record<string, Handler>>> = {
  '/api/auth/sign-in': { GET: showMethods, HEAD: showMethods },
  '/api/auth/sign-in/email': { POST: signInWithPassword },
  '/api/auth/sign-in/links': { POST: mailLink },
  '/api/auth/sign-out': { POST: signOut },
  [LINK_PATH]: { GET: showLink, HEAD: showLink, POST: openLink },
}

/** Signs people in and out over HTTP. Other paths are passed to the next middleware. */
export function signInRoutes(context: SignInDeps): Koa.Middleware {
  return async (ctx, next) => {
    const methods = ROUTES[ctx.path]
    if (methods === undefined) return next()
    const handle = methods[ctx.method]
    if (handle === undefined) {
      const allowed = Object.keys(methods).join(', ')
      ctx.set('Allow', allowed)
      throw new DomainError('method_not_allowed', `Method not allowed: use ${allowed}`)
    }
    ctx.set('Cache-Control', 'no-store')
    await handle(context, ctx)
  }
}

async function signInWithPassword({ people, authenticator, own }: SignInDeps, ctx: Koa.Context): Promise<void> {
  refuseOtherSites(own, ctx)
  const input = parse(Credentials, await readJsonObject(ctx))
  const { token, cookie, user } = await people.signIn(input, authenticator.originOf(requestOf(ctx)))
  ctx.set('Set-Cookie', cookie)
  ctx.body = { data: { token, user } }
}

async function signOut({ deps, authenticator, tokens }: SignInDeps, ctx: Koa.Context): Promise<void> {
  const caller = await authenticator.authenticate(requestOf(ctx))
  await endSession(deps, caller, caller.credentialId)
  ctx.set('Set-Cookie', setCookie(tokens, null))
  ctx.body = { data: { ok: true } }
}

/** Settings of the sign-in page, without authentication. */
async function showMethods({ deps }: SignInDeps, ctx: Koa.Context): Promise<void> {
  ctx.body = { data: { methods: ['password', ...(deps.mail === undefined ? [] : ['link'])] } }
}

/**
 * Mails a sign-in link to the user with an address. The response is sent first and is always the same, so that neither
 * it nor its duration reveals whether the user exists.
 * @throws NotFoundError if no mail server is configured; RateLimitedError
 */
async function mailLink(context: SignInDeps, ctx: Koa.Context): Promise<void> {
  const { deps, people, authenticator, own } = context
  const { mail } = deps
  if (mail === undefined) throw new NotFoundError('Sign-in link', 'this deployment sends no mail; ask whoever runs it')
  refuseOtherSites(own, ctx)
  const { email } = parse(Recipient, await readJsonObject(ctx))
  const origin = authenticator.originOf(requestOf(ctx))
  const refused = await throttleAttempt(deps, MAIL_WINDOW_MS, [
    { key: `sign-in links from ${addressBlock(origin.address)}`, max: MAX_MAILS.place },
    { key: `sign-in link to ${sha256(email)}`, max: MAX_MAILS.address },
  ])
  if (refused !== null) throw new RateLimitedError('Too many sign-in links were requested', refused.waitMs)
  const isTaken = mail.later('sign-in mail not sent', async () => {
    const token = await people.makeLink(email, origin)
    if (token !== null) await mail.send(signInMail({ to: email, link: signInUrl(deps.publicUrl, token) }))
  })
  if (!isTaken) throw new DomainError('unavailable', 'The mail server did not respond in time: try again in a minute')
  ctx.status = 202
  ctx.body = { data: { ok: true } }
}

/** A page with a button. Programs that open links automatically, such as chat previews, do not use up the link. */
async function showLink(_context: SignInDeps, ctx: Koa.Context): Promise<void> {
  ctx.set(SIGN_IN_PAGE_HEADERS)
  ctx.type = 'html'
  ctx.body = SIGN_IN_PAGE
}

/** For browsers: redirects to the start page, also for an invalid link, which the page then reports. */
async function openLink(
  { people, authenticator, failures, own, startPath }: SignInDeps,
  ctx: Koa.Context,
): Promise<void> {
  refuseOtherSites(own, ctx)
  const { token } = parseQueryString(ctx.querystring)
  ctx.status = 303
  try {
    const origin = authenticator.originOf(requestOf(ctx))
    const open = () => people.openLink(typeof token === 'string' ? token : '', origin)
    const { cookie } = await failures.guard({ ...origin, credential: null }, open)
    ctx.set('Set-Cookie', cookie)
    ctx.redirect(startPath)
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error
    ctx.redirect(`${startPath}?error=sign_in_link`)
  }
}

/**
 * Refuses requests from other sites' pages, which could sign a person in as someone else. Programs other than browsers
 * are allowed. @throws ForbiddenError
 */
function refuseOtherSites(own: OwnOrigins, ctx: Koa.Context): void {
  requireOwnOrigin(own, { ...requestOf(ctx), method: 'GET' })
}

function requestOf({ method, headers, req }: Koa.Context) {
  return { method, headers, address: req.socket.remoteAddress }
}
