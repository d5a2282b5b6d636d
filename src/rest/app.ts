import { randomUUID } from 'node:crypto'
import Router from '@koa/router'
import type Koa from 'koa'
import type { Caller } from '../domain/actor.ts'
import type { Deps } from '../domain/deps.ts'
import {
  DiskFullError,
  DomainError,
  LoopDetectedError,
  NotFoundError,
  RateLimitedError,
  UnavailableError,
} from '../domain/errors.ts'
import { parse } from '../domain/input.ts'
import { parseLimit } from '../domain/page.ts'
import { requireLevel } from '../domain/policy.ts'
import type { Charge } from '../domain/rate-limits.ts'
import { orUnavailable } from '../domain/unavailable.ts'
import { agentRoutes } from './agents.ts'
import { articleRoutes } from './articles.ts'
import { hasBody, readJsonObject } from './body.ts'
import { conversationRoutes } from './conversations.ts'
import { customerRoutes } from './customers.ts'
import { expectedError, internalError } from './errors.ts'
import { runOnce } from './idempotency.ts'
import { OPENAPI_PATH, openApiDocument } from './openapi.ts'
import { queryReader } from './query.ts'
import { parseQueryString } from './query-string.ts'
import { refusalHeaders, standingHeaders } from './rate-limit.ts'
import { replyRoutes } from './reply.ts'
import type { Route } from './route.ts'
import { webhookRoutes } from './webhooks.ts'
import { workspaceRoutes } from './workspaces.ts'

export interface RestDeps {
  readonly deps: Deps
  /** Who is calling, by the request's headers and its socket's address. @throws UnauthorizedError, ForbiddenError */
  authenticate(request: {
    headers: Record<string, string | string[] | undefined>
    address: string | undefined
  }): Promise<Caller>
  /** The server's version. */
  readonly version: string
  readonly charge: Charge
  /** Waits until the credential may have one more request under way, which it is until the client has taken the answer. */
  takePlace(credentialId: string, response: Koa.Context['res']): Promise<void>
}

/** Every operation of the contract. */
export const routes: readonly Route[] = [
  ...workspaceRoutes,
  ...conversationRoutes,
  ...customerRoutes,
  ...articleRoutes,
  ...agentRoutes,
  ...replyRoutes,
  ...webhookRoutes,
]

export function newRequestId(): string {
  return `req_${randomUUID().replaceAll('-', '')}`
}

/** Names every request, in the answer's X-Request-Id and in the log. */
export function requestId(): Koa.Middleware {
  return async (ctx, next) => {
    const given = ctx.get('x-request-id')
    const id = /^[\w.-]{8,128}$/.test(given) ? given : newRequestId()
    ctx.state['requestId'] = id
    ctx.set('X-Request-Id', id)
    await next()
  }
}

/** Turns whatever is thrown into the contract's error, and logs what was not expected. */
export function errorResponse(deps: Pick<Deps, 'log' | 'db'>): Koa.Middleware {
  return async (ctx, next) => {
    try {
      await next()
    } catch (thrown) {
      const id: string = ctx.state['requestId']
      const error = orUnavailable(deps, thrown)
      const expected = expectedError(error)
      if (error instanceof UnavailableError) logUnavailable(deps, error, id)
      if (expected === null) deps.log.error({ err: error, requestId: id }, 'a request failed')
      const body = expected ?? internalError(id)
      ctx.status = body.error.status
      if (body.error.status === 401) ctx.set('WWW-Authenticate', 'Bearer')
      if (error instanceof RateLimitedError) ctx.set(refusalHeaders(error))
      if (error instanceof UnavailableError || error instanceof LoopDetectedError)
        ctx.set('Retry-After', String(error.retryAfterSeconds))
      ctx.body = body
    }
  }
}

/** A full disk is logged once, and not for each request: the log may be on it. */
export function logUnavailable({ log }: Pick<Deps, 'log'>, error: UnavailableError, requestId: string): void {
  const level = error instanceof DiskFullError ? 'debug' : 'warn'
  log[level]({ err: error.cause, requestId }, 'the database does not answer')
}

/** The REST API under /api: each route's table entry, run through one pipeline. */
export function restRouter(rest: RestDeps): Koa.Middleware {
  const router = new Router({ prefix: '/api', sensitive: true })
  const document = Buffer.from(JSON.stringify(openApiDocument(routes, rest.version)))
  router.get(OPENAPI_PATH, (ctx) => {
    ctx.type = 'json'
    ctx.body = document
  })
  for (const route of routes) {
    const readQuery = queryReader(route)
    router.register(route.path, [route.method], (ctx) => run(rest, { route, readQuery }, ctx))
  }
  const dispatch = router.routes()
  return async (ctx, next) => {
    await dispatch(ctx as Parameters<typeof dispatch>[0], async () => {
      refuseMethod(router, ctx)
      await next()
    })
  }
}

/** @throws DomainError when the path exists, but not with this method */
function refuseMethod(router: Router, ctx: Koa.Context): void {
  const methods = new Set(router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods))
  if (methods.size === 0) return
  const allowed = [...methods].sort().join(', ')
  ctx.set('Allow', allowed)
  throw new DomainError('method_not_allowed', `Use ${allowed} here`)
}

/** Authentication, rate limit, permission, query string, body, workspace, operation, in this order. */
async function run(
  { deps, authenticate, charge, takePlace }: RestDeps,
  { route, readQuery }: { route: Route; readQuery: ReturnType<typeof queryReader> },
  ctx: Koa.Context,
): Promise<void> {
  ctx.set('Cache-Control', 'no-store')
  const caller = await authenticate({ headers: ctx.headers, address: ctx.req.socket.remoteAddress })
  const standing = await charge(caller, route.path.startsWith('/agent/') ? 'agent' : 'general', 1)
  if (standing !== null) ctx.set(standingHeaders(standing))
  requireLevel(caller, route.needs)
  const { query, workspaceId, limit, cursor } = readQuery(parseQueryString(ctx.querystring))
  await takePlace(caller.credentialId, ctx.res)
  // A DELETE without a body of its own may still name the workspace in one.
  const readsBody = route.body !== undefined || (route.method === 'DELETE' && hasBody(ctx))
  const raw = readsBody ? await readJsonObject(ctx) : undefined
  const requested = workspaceId || raw?.['workspaceId']
  const request = {
    caller,
    actor: () => caller.actorIn(typeof requested === 'string' ? requested : undefined),
    id: String(ctx['params']['id'] ?? ''),
    query,
    body: route.body === undefined ? undefined : parse(route.body, raw),
    page: { limit: parseLimit(limit), cursor: cursor || null },
  }
  const { status, body } = await runOnce(ctx, deps, caller, raw, {
    async authorize() {
      if (route.isGlobal) return
      const actor = await request.actor()
      requireLevel(actor, route.needs)
      route.authorize?.(actor)
    },
    async work(deps) {
      const { status = 200, data, meta } = await route.handle({ ...request, deps })
      return { status, body: JSON.stringify(meta === undefined ? { data } : { data, meta }) }
    },
  })
  ctx.status = status
  ctx.type = 'json'
  ctx.body = body
}

/** The answer to every path that nothing else serves. */
export function notFound(): Koa.Middleware {
  return (ctx) => {
    throw new NotFoundError(`${ctx.method} ${ctx.path.slice(0, 200)}`)
  }
}
