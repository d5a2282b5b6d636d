import type { Clock } from '../infra/clock.ts'
import type { Database } from '../infra/db.ts'
import type { Log } from '../infra/log.ts'
import type { TargetPolicy } from '../infra/net.ts'
import { repeat } from '../infra/repeat.ts'
import { failure } from './failure.ts'
import { fetchPicture, UnusablePicture } from './picture.ts'

export interface PictureDeps {
  readonly db: Database
  readonly clock: Clock
  readonly log: Log
  readonly targets: TargetPolicy
}

const LOOK_MS = 1000
/** Fetched at once by one process. */
const AT_ONCE = 8
const MAX_TRIES = 3
const TRY_AGAIN_MS = 60_000

/**
 * Takes what is due, the workspaces in turn. Taking counts as a try and sets the time of the next one, so that a process
 * which dies meanwhile loses nothing; of two that take the same row, the second finds it not due any more.
 */
const TAKE = `
  UPDATE pictures SET tries = tries + 1,
         next_try_at = CASE WHEN tries + 1 < ${MAX_TRIES} THEN $2::timestamptz END
   WHERE next_try_at <= $1::timestamptz AND (workspace_id, url_hash) IN (
     SELECT workspace_id, url_hash FROM (
       SELECT workspace_id, url_hash, next_try_at,
              row_number() OVER (PARTITION BY workspace_id ORDER BY next_try_at) AS turn
         FROM pictures WHERE next_try_at <= $1::timestamptz) AS due
      ORDER BY turn, next_try_at LIMIT ${AT_ONCE})
  RETURNING workspace_id AS "workspaceId", url_hash AS hash, url`

const KEEP = `
  UPDATE pictures SET content_type = $3, bytes = $4, fetched_at = $5::timestamptz, next_try_at = NULL, failure = NULL
   WHERE workspace_id = $1 AND url_hash = $2`

const NOTE_FAILURE = 'UPDATE pictures SET failure = $3 WHERE workspace_id = $1 AND url_hash = $2'

interface Due {
  readonly workspaceId: string
  readonly hash: string
  readonly url: string
}

/**
 * Fetches the pictures that visitors' and agents' URLs name, each up to three times until it succeeds.
 * @returns stops
 */
export function startFetchingPictures(deps: PictureDeps): () => Promise<void> {
  const stopping = new AbortController()
  const stop = repeat(deps.log, LOOK_MS, 'pictures could not be fetched', async () => {
    if (deps.db.disk?.isFull) return
    const now = deps.clock.now()
    const due = await deps.db.sql<Due>(TAKE, [now, new Date(now.getTime() + TRY_AGAIN_MS)])
    await Promise.all(due.map((one) => fetchOne(deps, one, stopping.signal)))
  })
  return () => {
    stopping.abort()
    return stop()
  }
}

async function fetchOne({ db, clock, targets }: PictureDeps, { workspaceId, hash, url }: Due, stopping: AbortSignal) {
  const fetched = await fetchPicture(url, targets, stopping).catch(reasonOf)
  if (typeof fetched === 'string') await db.sql(NOTE_FAILURE, [workspaceId, hash, fetched])
  else await db.sql(KEEP, [workspaceId, hash, fetched.type, fetched.bytes, clock.now()])
}

function reasonOf(error: unknown): string {
  if (error instanceof UnusablePicture) return error.message
  if (error instanceof Error && error.name === 'TimeoutError') return 'No complete answer within 5 seconds'
  const exchange = failure(error)
  return exchange.kind === 'answered' ? `The server answered ${exchange.statusCode}` : exchange.error
}
