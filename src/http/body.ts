import type { Context } from 'koa'
import getRawBody from 'raw-body'
import { DomainError, ValidationError } from '../domain/shared/errors.ts'
import { parseJsonBody } from '../domain/shared/input.ts'

/** 1 MiB. */
export const MAX_BODY_BYTES = 1_048_576

/** Whether the request has a body of at least one byte, or of unknown length. */
export function hasBody(ctx: Context): boolean {
  return ctx.is('*/*') !== null && ctx.request.length !== 0
}

/**
 * Reads a JSON object from the request.
 * @throws DomainError: unsupported_media_type, payload_too_large, bad_request
 */
export async function readJsonObject(ctx: Context): Promise<Record<string, unknown>> {
  const encoding = ctx.get('content-encoding')
  if (encoding !== '' && encoding !== 'identity') {
    throw new DomainError('unsupported_media_type', 'Send the body without Content-Encoding')
  }
  if (!hasBody(ctx)) {
    throw new ValidationError([{ path: '', message: 'Send a JSON object as the body' }])
  }
  if (!ctx.is('json', '+json')) {
    throw new DomainError('unsupported_media_type', 'Send JSON, with Content-Type: application/json')
  }
  return parseObject(await readBytes(ctx))
}

/**
 * The request's body, at most 1 MiB.
 * @throws DomainError payload_too_large; ValidationError when it ends early
 */
export async function readBytes(ctx: Context): Promise<Buffer> {
  try {
    return await getRawBody(ctx.req, { limit: MAX_BODY_BYTES, length: ctx.get('content-length') || null })
  } catch (error) {
    const kind = error instanceof Error && 'type' in error ? error.type : undefined
    if (kind === 'entity.too.large') {
      // The rest of the body is not read, so the connection cannot be reused.
      ctx.set('Connection', 'close')
      throw new DomainError('payload_too_large', `The body must be at most ${MAX_BODY_BYTES} bytes`)
    }
    if (kind === 'request.aborted' || kind === 'request.size.invalid') {
      throw new ValidationError([{ path: '', message: 'The body is shorter than its Content-Length' }])
    }
    throw error
  }
}

function parseObject(bytes: Buffer): Record<string, unknown> {
  const value = parseJsonBody(bytes)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ValidationError([{ path: '', message: 'The body must be a JSON object' }])
  }
  return value as Record<string, unknown>
}
