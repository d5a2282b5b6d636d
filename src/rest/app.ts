import Router from '@koa/router'
import type Koa from 'koa'
import type { Caller } from '../domain/shared/actor.ts'
import { requireLevel } from '../domain/shared/authorization.ts'
import type { Deps } from '../domain/shared/deps.ts'
import { DomainError } from '../domain/shared/errors.ts'
import { parse } from '../domain/shared/input.ts'
import { parseLimit } from '../domain/shared/pagination.ts'
import type { Charge } from '../domain/shared/rate-limits.ts'
import { hasBody, readJsonObject } from '../http/body.ts'
import type { AcquireRequestSlot } from '../http/connections.ts'
import { parseQueryString } from '../http/query-string.ts'
import { rateLimitHeaders } from '../http/rate-limit-headers.ts'
import { agentRoutes } from './agents.ts'
import { articleRoutes } from './articles.ts'
import { conversationRoutes } from './conversations.ts'
import { customerRoutes } from './customers.ts'
import { runWithIdempotencyKey } from './idempotency.ts'
import { OPENAPI_PATH, openApiDocument } from './openapi.ts'
import { queryReader } from './query.ts'
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
  readonly acquireSlot: AcquireRequestSlot
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

/** The REST API under /api. All routes run through one pipeline. */
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
  throw new DomainError('method_not_allowed', `Method not allowed: use ${allowed}`)
}

/** Authentication, rate limit, permission, query string, body, workspace, operation, in this order. */
async function run(
  { deps, authenticate, charge, acquireSlot }: RestDeps,
  { route, readQuery }: { route: Route; readQuery: ReturnType<typeof queryReader> },
  ctx: Koa.Context,
): Promise<void> {
  ctx.set('Cache-Control', 'no-store')
  const caller = await authenticate({ headers: ctx.headers, address: ctx.req.socket.remoteAddress })
  const standing = await charge(caller, route.path.startsWith('/agent/') ? 'agent' : 'general', 1)
  if (standing !== null) ctx.set(rateLimitHeaders(standing))
  requireLevel(caller, route.needs)
  const { query, workspaceId, limit, cursor } = readQuery(parseQueryString(ctx.querystring))
  await acquireSlot(caller.credentialId, ctx.res)
  // A DELETE without a body schema can name the workspace in its body.
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
  const { status, body } = await runWithIdempotencyKey(ctx, deps, caller, raw, {
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
