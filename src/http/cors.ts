import type Koa from 'koa'

const EXPOSED = [
  'X-Request-Id',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'Retry-After',
  'Idempotency-Replayed',
].join(', ')
const METHODS = 'GET, HEAD, POST, PATCH, DELETE'
const HEADERS = 'Authorization, Content-Type, Idempotency-Key, X-Api-Key, X-Request-Id, X-Workspace-Id'
const REMEMBERED_S = 600

/**
 * Lets pages of the listed origins call the API with a key; none by default. Cookies are not allowed: only pages of
 * this deployment and of TRUSTED_ORIGINS can use them.
 * @param isShared the requests that other origins can make
 */
export function cors(origins: ReadonlySet<string>, isShared: (ctx: Koa.Context) => boolean): Koa.Middleware {
  return async (ctx, next) => {
    if (origins.size === 0 || !isShared(ctx)) return next()
    // Caches must not serve the response of one origin to another.
    ctx.vary('Origin')
    const origin = ctx.get('Origin')
    if (!origins.has(origin)) return next()
    ctx.set('Access-Control-Allow-Origin', origin)
    ctx.set('Access-Control-Expose-Headers', EXPOSED)
    ctx.set('Cross-Origin-Resource-Policy', 'cross-origin')
    if (ctx.method !== 'OPTIONS' || ctx.get('Access-Control-Request-Method') === '') return next()
    ctx.set('Access-Control-Allow-Methods', METHODS)
    ctx.set('Access-Control-Allow-Headers', HEADERS)
    ctx.set('Access-Control-Max-Age', String(REMEMBERED_S))
    ctx.status = 204
  }
}
