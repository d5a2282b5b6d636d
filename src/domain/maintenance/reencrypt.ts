import type { Database } from '../../infra/database/db.ts'
import { isRefused, sqlState } from '../../infra/database/db-away.ts'
import type { Vault } from '../../infra/secrets.ts'
import { contextOf } from '../shared/idempotency.ts'

/** A column with sealed text: how to find values that another key sealed, and how to replace them. */
interface SealedColumn {
  readonly what: string
  /** Rows of `id` (in the order of the scan), `sealed`, and the columns of the context; $1 prefix, $2 id, $3 limit. */
  readonly find: string
  /**
   * $1 id, $2 the old text, $3 the new text. No rows when the row has changed meanwhile: a server has sealed it again.
   */
  readonly replace: string
  context(row: SealedRow): string
}

interface SealedRow {
  id: string
  sealed: string
  owner?: string
  key?: string
}

const ofEndpoint = (column: 'sealed_secret' | 'previous_sealed_secret'): SealedColumn => ({
  what: `webhook_endpoints.${column}`,
  find: `SELECT id, ${column} AS sealed FROM webhook_endpoints
          WHERE NOT starts_with(${column}, $1) AND id > $2 ORDER BY id LIMIT $3`,
  replace: `UPDATE webhook_endpoints SET ${column} = $3 WHERE id = $1 AND ${column} = $2 RETURNING 1`,
  context: ({ id }) => id,
})

const SEALED_COLUMNS: readonly SealedColumn[] = [
  ofEndpoint('sealed_secret'),
  ofEndpoint('previous_sealed_secret'),
  {
    what: 'idempotency_keys.response',
    find: `SELECT owner || ' ' || key AS id, owner, key, response AS sealed FROM idempotency_keys
            WHERE NOT starts_with(response, $1) AND owner || ' ' || key > $2 ORDER BY 1 LIMIT $3`,
    replace: `UPDATE idempotency_keys SET response = $3 WHERE owner || ' ' || key = $1 AND response = $2 RETURNING 1`,
    context: ({ owner = '', key = '' }) => contextOf({ owner, key }),
  },
  {
    // The key of the echo agent, in development.
    what: 'agents.config',
    find: `SELECT id, config ->> 'sealedKey' AS sealed FROM agents
            WHERE config ->> 'builtIn' = 'echo' AND NOT starts_with(config ->> 'sealedKey', $1) AND id > $2
            ORDER BY id LIMIT $3`,
    replace: `UPDATE agents SET config = jsonb_set(config, '{sealedKey}', to_jsonb($3::text))
               WHERE id = $1 AND config ->> 'sealedKey' = $2 RETURNING 1`,
    context: ({ id }) => id,
  },
]

const BATCH = 500

export interface ReencryptResult {
  /** The number of values that were sealed with another key and are now sealed with the current one. */
  readonly reencrypted: number
  /** Values that no key opens, or that the database refuses to change: table, column and row. */
  readonly unreadable: readonly string[]
}

/**
 * Re-encrypts all values of the previous key with the current one. Servers with both keys can run meanwhile. An
 * interrupted run can be repeated.
 */
export async function reencryptAll({ db, vault }: { db: Database; vault: Vault }): Promise<ReencryptResult> {
  const unreadable: string[] = []
  let reencrypted = 0
  for (const column of SEALED_COLUMNS) {
    for (let after = '', rows: SealedRow[] = [], more = true; more; more = rows.length === BATCH) {
      rows = await db.sql<SealedRow>(column.find, [vault.prefix, after, BATCH])
      for (const row of rows) {
        after = row.id
        const anew = reencrypt(vault, row.sealed, column.context(row))
        if (anew === null) unreadable.push(`${column.what} of ${row.id}`)
        else {
          try {
            reencrypted += (await db.sql(column.replace, [row.id, row.sealed, anew])).length
          } catch (error) {
            if (!isRefused(error)) throw error
            unreadable.push(`${column.what} of ${row.id}, which the database refuses to change (${sqlState(error)})`)
          }
        }
      }
    }
  }
  return { reencrypted, unreadable }
}

function reencrypt(vault: Vault, sealed: string, context: string): string | null {
  try {
    return vault.seal(vault.open(sealed, context), context)
  } catch {
    return null // told to whoever runs it; one bad row must not keep the others from being mended
  }
}
