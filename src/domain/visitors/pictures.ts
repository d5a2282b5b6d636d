import { Prisma } from '../../infra/database/db.ts'
import type { Tx } from '../../infra/database/transaction.ts'
import { sha256 } from '../../infra/secrets.ts'
import type { Actor } from '../shared/actor.ts'
import { requireLevel, requireStaff } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'

/** A fetched picture. */
export interface Picture {
  readonly contentType: string
  readonly bytes: Buffer
}

/** The path of pictures: `/api/pictures/WORKSPACE/HASH`. */
export const PICTURES_PATH = '/api/pictures/'

/**
 * Requests that the picture of a visitor's or agent's URL is fetched. It adds a row in the transaction of the change,
 * so that none is lost; the dispatcher fetches each URL once per workspace.
 */
export async function requestPicture(tx: Tx, workspaceId: string, url: string | null | undefined, now: Date) {
  if (url == null) return
  // Updating the row keeps removeUnreferencedPictures from deleting it while this transaction is open.
  await tx.db.$executeRaw`
    INSERT INTO pictures (workspace_id, url_hash, url, named_at, next_try_at)
    VALUES (${workspaceId}, ${sha256(url)}, ${url}, ${now}, ${now})
    ON CONFLICT (workspace_id, url_hash) DO UPDATE SET named_at = EXCLUDED.named_at`
}

/** The paths of the workspace's fetched pictures, by their URLs. */
export async function picturePaths(
  { db }: Pick<Deps, 'db'>,
  { workspaceId }: Actor,
  urls: readonly string[],
): Promise<Map<string, string>> {
  const urlOf = new Map(urls.map((url) => [sha256(url), url]))
  const rows = await db.prisma.$queryRaw<{ hash: string }[]>`
    SELECT url_hash AS hash FROM pictures
     WHERE workspace_id = ${workspaceId} AND url_hash IN (${Prisma.join([...urlOf.keys()])}) AND content_type IS NOT NULL`
  const paths = new Map<string, string>()
  for (const { hash } of rows) {
    const url = urlOf.get(hash)
    if (url !== undefined) paths.set(url, `${PICTURES_PATH}${workspaceId}/${hash}`)
  }
  return paths
}

/** A fetched picture of the workspace; null without one. */
export async function getPicture({ db }: Pick<Deps, 'db'>, actor: Actor, hash: string): Promise<Picture | null> {
  requireLevel(actor, 'READ_ONLY')
  requireStaff(actor)
  const [picture] = await db.sql<Picture>(
    `SELECT content_type AS "contentType", bytes FROM pictures
      WHERE workspace_id = $1 AND url_hash = $2 AND content_type IS NOT NULL`,
    [actor.workspaceId, hash],
  )
  return picture ?? null
}

/** Longer than any transaction that adds a reference. */
const SETTLED_MS = 3_600_000

/** Deletes pictures that no visitor and no agent refers to. */
export async function removeUnreferencedPictures({ db, clock }: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  await db.sql(
    `DELETE FROM pictures p
      WHERE named_at < $1::timestamptz
        AND NOT EXISTS (SELECT FROM visitors v WHERE v.avatar_url = p.url AND v.workspace_id = p.workspace_id)
        AND NOT EXISTS (SELECT FROM agents a WHERE a.icon_url = p.url AND a.workspace_id = p.workspace_id)`,
    [new Date(clock.steady().getTime() - SETTLED_MS)],
  )
}
