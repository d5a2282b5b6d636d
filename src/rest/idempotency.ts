import type { Context } from 'koa'
import type { Caller } from '../domain/shared/actor.ts'
import type { Deps } from '../domain/shared/deps.ts'
import type { ErrorCode } from '../domain/shared/errors.ts'
import {
  fingerprintOf,
  requireIdempotencyKey,
  runIdempotently,
  type StoredResponse,
} from '../domain/shared/idempotency.ts'
import { expectedError } from '../http/error-body.ts'

/** Errors that the same request always causes. They are stored; others, such as limits and permissions, can end. */
const LASTING: ReadonlySet<ErrorCode | 'internal_error'> = new Set(['bad_request', 'not_found', 'conflict'])

/** The Idempotency-Key of a POST; null for other requests. @throws ValidationError */
function idempotencyKey(ctx: Context): string | null {
  const key = ctx.headers['idempotency-key']
  return ctx.method === 'POST' && key !== undefined ? requireIdempotencyKey(key, 'Idempotency-Key') : null
}

/** A request that is ready to run. */
interface Work {
  /** Whether the caller may make this request now. @throws ForbiddenError */
  authorize(): Promise<void>
  /** Runs the operation with these dependencies. The operation checks its caller itself. @returns the text of the body */
  work(deps: Deps): Promise<StoredResponse>
}

/**
 * Runs a request; with an Idempotency-Key, only once. Repeating it returns the first response, if the caller still has the
 * permission.
 * @param body the parsed JSON: white space does not make another request
 */
export async function runWithIdempotencyKey(
  ctx: Context,
  deps: Deps,
  { credentialId }: Caller,
  body: unknown,
  { authorize, work }: Work,
): Promise<StoredResponse> {
  const key = idempotencyKey(ctx)
  if (key === null) return work(deps)
  await authorize()
  const fingerprint = fingerprintOf(`${ctx.method} ${ctx.url}\n${JSON.stringify(body)}`)
  const response = await runIdempotently(deps, { owner: credentialId, key, fingerprint }, { work, refusal })
  if (response.isRepeated) ctx.set('Idempotency-Replayed', 'true')
  return response
}

function refusal(error: unknown): StoredResponse | null {
  const body = expectedError(error)?.error
  if (body === undefined || !LASTING.has(body.code)) return null
  return { status: body.status, body: JSON.stringify({ error: body }) }
}
