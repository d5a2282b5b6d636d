import { randomUUID } from 'node:crypto'
import type Koa from 'koa'
import type { Deps } from '../domain/shared/deps.ts'
import {
  DiskFullError,
  LoopDetectedError,
  NotFoundError,
  RateLimitedError,
  UnavailableError,
} from '../domain/shared/errors.ts'
import { toUnavailable } from '../domain/shared/unavailable.ts'
import { expectedError, internalError } from './error-body.ts'
import { refusalHeaders } from './rate-limit-headers.ts'

export function newRequestId(): string {
  return `req_${randomUUID().replaceAll('-', '')}`
}

/** Assigns an id to every request, for X-Request-Id and the log. */
export function requestId(): Koa.Middleware {
  return async (ctx, next) => {
    const given = ctx.get('x-request-id')
    const id = /^[\w.-]{8,128}$/.test(given) ? given : newRequestId()
    ctx.state['requestId'] = id
    ctx.set('X-Request-Id', id)
    await next()
  }
}

/** Turns exceptions into the error format of the contract, and logs unexpected ones. */
export function errorResponse(deps: Pick<Deps, 'log' | 'db'>): Koa.Middleware {
  return async (ctx, next) => {
    try {
      await next()
    } catch (thrown) {
      const id: string = ctx.state['requestId']
      const error = toUnavailable(deps, thrown)
      const expected = expectedError(error)
      if (error instanceof UnavailableError) logUnavailable(deps, error, id)
      if (expected === null) deps.log.error({ err: error, requestId: id }, 'request failed')
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

/** Logs a full disk at debug level: the log may be on the same disk, and the embedded database has logged it once. */
export function logUnavailable({ log }: Pick<Deps, 'log'>, error: UnavailableError, requestId: string): void {
  const level = error instanceof DiskFullError ? 'debug' : 'warn'
  log[level]({ err: error.cause, requestId }, 'database unavailable')
}

/** The response to all other paths. */
export function notFound(): Koa.Middleware {
  return (ctx) => {
    throw new NotFoundError(`${ctx.method} ${ctx.path.slice(0, 200)}`)
  }
}
