import type { Clock } from '../../infra/clock.ts'
import type { Database } from '../../infra/database/db.ts'
import { repeatWriting } from '../../infra/database/repeat-writing.ts'
import type { Log } from '../../infra/log.ts'
import type { TargetPolicy } from '../../infra/net/target-policy.ts'
import { failure } from '../send/failure-reason.ts'
import { openConnection, type Statement } from '../store/connection.ts'
import { fetchPicture, UnusablePicture } from './fetch-picture.ts'

export interface PictureDeps {
  readonly db: Database
  readonly clock: Clock
  readonly log: Log
  readonly targets: TargetPolicy
}

const LOOK_MS = 1000
/** The maximum number of concurrent fetches of a process, and of retries among them while first attempts wait. */
const AT_ONCE = 8
const FURTHER_AT_ONCE = 4
const MAX_TRIES = 3
const TRY_AGAIN_MS = 60_000

/**
 * Takes due pictures at `$1`: the oldest retries, and first attempts of the workspaces in turn, from the one after
 * `$3`. First attempts are due at once, so a scan from workspace to workspace finds a row at each step. Because they
 * are distributed fairly, their retries a minute later are, too. Taking counts as an attempt and sets the time of the
 * next one, so that a process that dies loses nothing; of two that take the same row, the second finds it not due.
 */
export const TAKE_PICTURES: Statement = {
  name: 'dispatcher_take_pictures',
  text: `
  WITH RECURSIVE ring AS (
    SELECT $3::text AS workspace_id, 0 AS step, false AS is_around
    UNION ALL
    SELECT following.workspace_id, ring.step + 1, following.is_around
      FROM ring CROSS JOIN LATERAL (
        (SELECT workspace_id, ring.is_around AS is_around FROM pictures
          WHERE tries = 0 AND next_try_at IS NOT NULL AND workspace_id > ring.workspace_id ORDER BY workspace_id LIMIT 1)
        UNION ALL
        (SELECT workspace_id, true FROM pictures
          WHERE tries = 0 AND next_try_at IS NOT NULL AND workspace_id > '' AND NOT ring.is_around
          ORDER BY workspace_id LIMIT 1)
        LIMIT 1) following
     WHERE ring.step < ${AT_ONCE} AND NOT (following.is_around AND following.workspace_id > $3::text)),
  first AS (
    SELECT ring.workspace_id, own.url_hash, ring.step
      FROM ring CROSS JOIN LATERAL (
        SELECT url_hash, row_number() OVER (ORDER BY next_try_at) AS turn FROM pictures
         WHERE workspace_id = ring.workspace_id AND tries = 0 AND next_try_at IS NOT NULL
         ORDER BY next_try_at LIMIT ${AT_ONCE}) own
     WHERE ring.step > 0 ORDER BY own.turn, ring.step LIMIT ${AT_ONCE}),
  further AS (
    SELECT workspace_id, url_hash, 0 AS step FROM pictures
     WHERE tries > 0 AND next_try_at <= $1::timestamptz ORDER BY next_try_at LIMIT ${FURTHER_AT_ONCE}),
  taken AS (
    SELECT * FROM further UNION ALL SELECT * FROM first LIMIT ${AT_ONCE})
  UPDATE pictures SET tries = tries + 1, next_try_at = CASE WHEN tries + 1 < ${MAX_TRIES} THEN $2::timestamptz END
    FROM taken
   WHERE pictures.workspace_id = taken.workspace_id AND pictures.url_hash = taken.url_hash
     AND pictures.next_try_at <= $1::timestamptz
  RETURNING pictures.workspace_id AS "workspaceId", pictures.url_hash AS hash, url, step`,
}

const KEEP = `
  UPDATE pictures SET content_type = $3, bytes = $4, fetched_at = $5::timestamptz, next_try_at = NULL, failure = NULL
   WHERE workspace_id = $1 AND url_hash = $2`

const NOTE_FAILURE = 'UPDATE pictures SET failure = $3 WHERE workspace_id = $1 AND url_hash = $2'

interface Due {
  readonly workspaceId: string
  readonly hash: string
  readonly url: string
  /** The position of the workspace in the turn; 0: a retry. */
  readonly step: number
}

/** Fetches the pictures of visitors' and agents' URLs, each with up to three attempts. @returns stops it */
export function startFetchingPictures(deps: PictureDeps): () => Promise<void> {
  const connection = openConnection(deps.db)
  /** The last workspace that had a turn. */
  let latest = ''
  const stop = repeatWriting(deps, LOOK_MS, 'pictures not fetched', async (signal) => {
    const now = deps.clock.now()
    const again = new Date(now.getTime() + TRY_AGAIN_MS)
    const due = await connection.run<Due>(TAKE_PICTURES, [now, again, latest])
    latest = due.toSorted((a, b) => a.step - b.step).findLast(({ step }) => step > 0)?.workspaceId ?? latest
    await Promise.all(due.map((one) => fetchOne(deps, one, signal)))
  })
  return async () => {
    await stop()
    await connection.close()
  }
}

async function fetchOne({ db, clock, targets }: PictureDeps, { workspaceId, hash, url }: Due, stopping: AbortSignal) {
  const fetched = await fetchPicture(url, targets, stopping).catch(reasonOf)
  if (typeof fetched === 'string') await db.sql(NOTE_FAILURE, [workspaceId, hash, fetched])
  else await db.sql(KEEP, [workspaceId, hash, fetched.type, fetched.bytes, clock.now()])
}

function reasonOf(error: unknown): string {
  if (error instanceof UnusablePicture) return error.message
  if (error instanceof Error && error.name === 'TimeoutError') return 'No complete response within 5 seconds'
  const httpResult = failure(error)
  return httpResult.kind === 'answered' ? `The server answered ${httpResult.statusCode}` : httpResult.error
}
