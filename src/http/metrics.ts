import { createHash, timingSafeEqual } from 'node:crypto'
import type Koa from 'koa'
import { DomainError } from '../domain/shared/errors.ts'
import type { Metrics } from '../infra/metrics.ts'

const PATH = '/metrics'

/**
 * `GET /metrics` in Prometheus' text format, with `Authorization: Bearer <token>`. Without a token the path does not exist.
 */
export function serveMetrics(token: string | undefined, metrics: Metrics): Koa.Middleware {
  return async (ctx, next) => {
    if (token === undefined || ctx.path !== PATH) return next()
    if (!isBearer(ctx.get('authorization'), token)) {
      throw new DomainError('unauthorized', 'Send METRICS_TOKEN as "Authorization: Bearer …"')
    }
    ctx.set('Content-Type', metrics.contentType)
    ctx.body = await metrics.text()
  }
}

/** Compares hashes of equal length, so that the duration reveals nothing. */
function isBearer(given: string, token: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(`Bearer ${token}`))
}
