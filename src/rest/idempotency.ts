import { createHash } from 'node:crypto'
import type { Context } from 'koa'
import type { Caller } from '../domain/shared/actor.ts'
import type { Deps } from '../domain/shared/deps.ts'
import { type ErrorCode, ValidationError } from '../domain/shared/errors.ts'
import { runIdempotently, type StoredAnswer } from '../domain/shared/idempotency.ts'
import { expectedError } from '../http/error-body.ts'

/** Refusals that say something about the request itself. The others, such as limits and permissions, may end. */
const LASTING: ReadonlySet<ErrorCode | 'internal_error'> = new Set(['bad_request', 'not_found', 'conflict'])

/** The key of a POST that wants to happen once; null for any other request. @throws ValidationError */
function idempotencyKey(ctx: Context): string | null {
  const key = ctx.headers['idempotency-key']
  if (ctx.method !== 'POST' || key === undefined) return null
  if (typeof key === 'string' && /^[\x20-\x7e]{1,255}$/.test(key)) return key
  throw new ValidationError([{ path: 'Idempotency-Key', message: 'must have 1 to 255 printable ASCII characters' }])
}

/** A request that is ready to run. */
interface Work {
  /** Whether the caller may make this request now. @throws ForbiddenError */
  authorize(): Promise<void>
  /** Gets the dependencies to work with, and answers with the body's text. The operation judges its caller itself. */
  work(deps: Deps): Promise<StoredAnswer>
}

/**
 * Runs a request, once when it carries an Idempotency-Key: whoever repeats it, and may still make it, gets the first
 * answer.
 * @param body as it was parsed from JSON: blanks between its parts make no other request
 */
export async function runWithIdempotencyKey(
  ctx: Context,
  deps: Deps,
  { credentialId }: Caller,
  body: unknown,
  { authorize, work }: Work,
): Promise<StoredAnswer> {
  const key = idempotencyKey(ctx)
  if (key === null) return work(deps)
  await authorize()
  const fingerprint = createHash('sha256')
    .update(`${ctx.method} ${ctx.url}\n${JSON.stringify(body)}`)
    .digest('hex')
  const answer = await runIdempotently(deps, { owner: credentialId, key, fingerprint }, { work, refusal })
  if (answer.isRepeated) ctx.set('Idempotency-Replayed', 'true')
  return answer
}

function refusal(error: unknown): StoredAnswer | null {
  const body = expectedError(error)?.error
  if (body === undefined || !LASTING.has(body.code)) return null
  return { status: body.status, body: JSON.stringify({ error: body }) }
}
