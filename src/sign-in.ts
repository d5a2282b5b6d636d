import type Koa from 'koa'
import { z } from 'zod'
import type { Authenticator } from './auth/authenticate.ts'
import { type OwnOrigins, requireOwnOrigin } from './auth/own-origin.ts'
import { PASSWORD, type People, TooManyTries } from './auth/people.ts'
import { signOut } from './auth/session.ts'
import type { SessionTokens } from './auth/session-token.ts'
import type { Deps } from './domain/deps.ts'
import { DomainError, UnauthorizedError } from './domain/errors.ts'
import { email, parse } from './domain/input.ts'
import { readJsonObject } from './rest/body.ts'

export interface SignInDeps {
  readonly deps: Deps
  readonly people: People
  readonly authenticator: Authenticator
  readonly tokens: SessionTokens
  readonly own: OwnOrigins
  /** Where browsers go once they are signed in. */
  readonly startPath: string
}

const Credentials = z.object({ email, password: z.string().min(1, 'must not be empty').max(PASSWORD.max) })

type Handler = (context: SignInDeps, ctx: Koa.Context) => Promise<void>

/** Everything that can be reached under /api/auth: path, method, handler. */
const ROUTES: Record<string, readonly ['GET' | 'POST', Handler]> = {
  '/api/auth/sign-in/email': ['POST', signInWithPassword],
  '/api/auth/sign-out': ['POST', endSession],
  '/api/auth/magic-link/verify': ['GET', openLink],
}

/** People sign in and out over HTTP. Any other path goes on to the next middleware. */
export function signInRoutes(context: SignInDeps): Koa.Middleware {
  return async (ctx, next) => {
    const [method, handle] = ROUTES[ctx.path] ?? []
    if (method === undefined || handle === undefined) return next()
    if (ctx.method !== method) {
      ctx.set('Allow', method)
      throw new DomainError('method_not_allowed', `Use ${method} here`)
    }
    ctx.set('Cache-Control', 'no-store')
    try {
      await handle(context, ctx)
    } catch (error) {
      if (error instanceof TooManyTries) ctx.set('Retry-After', String(error.retryAfterSeconds))
      throw error
    }
  }
}

async function signInWithPassword({ people, authenticator, own }: SignInDeps, ctx: Koa.Context): Promise<void> {
  // Nor may another site's page sign somebody in as somebody else.
  requireOwnOrigin(own, { ...requestOf(ctx), method: 'GET' })
  const input = parse(Credentials, await readJsonObject(ctx))
  const { token, cookie, user } = await people.signIn(input, authenticator.originOf(requestOf(ctx)))
  ctx.set('Set-Cookie', cookie)
  ctx.body = { data: { token, user } }
}

async function endSession({ deps, authenticator, tokens }: SignInDeps, ctx: Koa.Context): Promise<void> {
  const caller = await authenticator.authenticate(requestOf(ctx))
  if (caller.kind !== 'session') throw new UnauthorizedError('Nobody is signed in with an API key: revoke it instead')
  ctx.set('Set-Cookie', await signOut(deps, tokens, caller))
  ctx.body = { data: { ok: true } }
}

/** For browsers: it redirects to the start page, also when the link is of no use, which the page then says. */
async function openLink({ people, authenticator, startPath }: SignInDeps, ctx: Koa.Context): Promise<void> {
  const { token } = ctx.query
  ctx.set('Referrer-Policy', 'no-referrer')
  try {
    const origin = authenticator.originOf(requestOf(ctx))
    const { cookie } = await people.openLink(typeof token === 'string' ? token : '', origin)
    ctx.set('Set-Cookie', cookie)
    ctx.redirect(startPath)
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error
    ctx.redirect(`${startPath}?error=sign_in_link`)
  }
}

function requestOf({ method, headers, req }: Koa.Context) {
  return { method, headers, address: req.socket.remoteAddress }
}
