import { randomUUID } from 'node:crypto'
import { holdTransaction, inTransaction, type Tx } from '../../infra/database/transaction.ts'
import { sha256 } from '../../infra/secrets.ts'
import type { Deps } from './deps.ts'
import { ConflictError, DomainError, ValidationError } from './errors.ts'

/** The request that a key belongs to. */
export interface IdempotencyKeyUse {
  /** The id of the credential. Other credentials can use the same text. */
  readonly owner: string
  /** The Idempotency-Key of the client. */
  readonly key: string
  /** Of all that makes the request what it is: the same key must come with the same request. */
  readonly fingerprint: string
}

/** @param path where it was found; @throws ValidationError unless it is a key */
export function requireIdempotencyKey(given: unknown, path: string): string {
  if (typeof given === 'string' && /^[\x20-\x7e]{1,255}$/.test(given)) return given
  throw new ValidationError([{ path, message: 'must have 1 to 255 printable ASCII characters' }])
}

/** The fingerprint of a request. @param text all that makes the request what it is */
export const fingerprintOf = sha256

/** The first answer, as it was sent. */
export interface StoredResponse {
  readonly status: number
  /** The text of the body. */
  readonly body: string
}

/** The right to run the request. Only its holder can store the response. */
interface Claim extends IdempotencyKeyUse {
  readonly token: string
}

export const ANSWER_RETENTION_MS = 24 * 3_600_000
/**
 * A reservation ends after this time, so that a process that died does not block the key. A slower process is fenced
 * off.
 */
const CLAIM_MS = 20_000

interface KeyRow {
  fingerprint: string
  status: number | null
  response: string | null
}

export interface IdempotentOperation {
  /** Runs the operation, with dependencies whose database belongs to the held transaction. */
  work(deps: Deps): Promise<StoredResponse>
  /** The response to a failure; null when the failure is temporary, and the key is released. */
  refusal(error: unknown): StoredResponse | null
}

/**
 * Runs a request once. Its response is stored in the transaction of its change: a crash leaves both or neither.
 * Repeated requests get the stored response.
 * @throws the errors of `work`; DomainError unprocessable when the key was used for another request; ConflictError
 *   while the first request runs
 */
export async function runIdempotently(
  deps: Deps,
  use: IdempotencyKeyUse,
  { work, refusal }: IdempotentOperation,
): Promise<StoredResponse & { isRepeated: boolean }> {
  const taken = await claimKey(deps, use)
  if ('answer' in taken) return { ...taken.answer, isRepeated: true }
  const { claim } = taken
  try {
    const answer = await holdTransaction(
      deps.db,
      (db) => work({ ...deps, db }),
      (tx, made) => storeAnswer(tx, deps, claim, made),
    )
    return { ...answer, isRepeated: false }
  } catch (error) {
    await settleRefusal(deps, claim, refusal(error)).catch((failure: unknown) => {
      deps.log.error({ err: failure }, 'idempotency key not released; it will expire')
    })
    throw error
  }
}

async function settleRefusal(deps: Deps, claim: Claim, answer: StoredResponse | null): Promise<void> {
  if (answer === null) await releaseKey(deps, claim)
  else await inTransaction(deps, (tx) => storeAnswer(tx, deps, claim, answer))
}

/**
 * Reserves a key for its first request, or finds the stored response. One statement decides: of any number of
 * concurrent requests on any number of nodes, one gets the reservation.
 * @throws DomainError unprocessable when the key was used for another request; ConflictError while the first request
 *   runs
 */
async function claimKey(deps: Deps, use: IdempotencyKeyUse): Promise<{ claim: Claim } | { answer: StoredResponse }> {
  const { owner, key, fingerprint } = use
  const now = deps.clock.steady()
  const token = randomUUID()
  const ends = new Date(now.getTime() + CLAIM_MS)
  const expires = new Date(now.getTime() + ANSWER_RETENTION_MS)
  const claimed = await deps.db.sql(CLAIM, [owner, key, fingerprint, token, now, ends, expires])
  if (claimed.length > 0) return { claim: { ...use, token } }
  const [found] = await deps.db.sql<KeyRow>(
    `SELECT fingerprint, status, response
       FROM idempotency_keys WHERE owner = $1 AND key = $2`,
    [owner, key],
  )
  if (found !== undefined && found.fingerprint !== fingerprint) {
    throw new DomainError('unprocessable', 'This Idempotency-Key was used for a different request: use a new key')
  }
  // The first request has just failed and released the key. Repeating the request is safe, and the error says so.
  if (found === undefined || found.status === null || found.response === null) {
    throw new ConflictError('A request with this Idempotency-Key is still running: try again in a moment')
  }
  return { answer: { status: found.status, body: deps.vault.open(found.response, contextOf(use)) } }
}

const CLAIM = `
INSERT INTO idempotency_keys AS used (owner, key, fingerprint, token, claim_ends, expires_at)
VALUES ($1, $2, $3, $4, $6::timestamptz, $7::timestamptz)
ON CONFLICT (owner, key) DO UPDATE SET
  fingerprint = EXCLUDED.fingerprint, token = EXCLUDED.token, claim_ends = EXCLUDED.claim_ends,
  expires_at = EXCLUDED.expires_at, status = NULL, response = NULL
WHERE used.expires_at <= $5::timestamptz
   OR (used.status IS NULL AND used.claim_ends <= $5::timestamptz AND used.fingerprint = EXCLUDED.fingerprint)
RETURNING token`

/**
 * Stores the response in the transaction of the operation: both are committed, or neither. Sealed, because responses
 * can contain credentials.
 * @throws ConflictError when another process has taken over the reservation; the transaction must then not commit
 */
async function storeAnswer(tx: Tx, deps: Deps, claim: Claim, { status, body }: StoredResponse): Promise<void> {
  const sealed = deps.vault.seal(body, contextOf(claim))
  const stored = await tx.db.$executeRaw`
    UPDATE idempotency_keys SET status = ${status}, response = ${sealed}
     WHERE owner = ${claim.owner} AND key = ${claim.key} AND token = ${claim.token} AND status IS NULL`
  if (stored === 0)
    throw new ConflictError('Another request with this Idempotency-Key was processed instead: send the request again')
}

/** Releases a key whose request failed with a temporary or internal error. */
async function releaseKey(deps: Deps, { owner, key, token }: Claim): Promise<void> {
  const sql = 'DELETE FROM idempotency_keys WHERE owner = $1 AND key = $2 AND token = $3 AND status IS NULL'
  await deps.db.sql(sql, [owner, key, token])
}

const SWEEP_ROWS = 1000

/** Deletes expired keys. */
export async function purgeExpiredKeys(deps: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  const sql = `DELETE FROM idempotency_keys WHERE (owner, key) IN (
    SELECT owner, key FROM idempotency_keys WHERE expires_at <= $1::timestamptz LIMIT ${SWEEP_ROWS}) RETURNING 1`
  while ((await deps.db.sql(sql, [deps.clock.steady()])).length === SWEEP_ROWS);
}

/** Releases the reservations of a killed process. Only for a process that has the database to itself. */
export async function releaseAbandonedKeys({ db }: Pick<Deps, 'db'>): Promise<void> {
  await db.sql('DELETE FROM idempotency_keys WHERE status IS NULL')
}

/** The context of a sealed response: in another row, it does not open. */
export function contextOf({ owner, key }: Pick<IdempotencyKeyUse, 'owner' | 'key'>): string {
  return `idempotency ${owner} ${key}`
}
