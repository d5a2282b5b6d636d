import type { Database } from '../../../src/infra/database/db.ts'

/**
 * What stands in the database, as one text: of one workspace, or of all. When a key was used last and a node was seen last
 * does not count: that is written whenever there is time.
 */
export type Digest = (workspaceId?: string) => Promise<string>

/** Reads the list of tables once; a table that a migration adds is in it by itself. */
export async function openDigest({ sql }: Database): Promise<Digest> {
  const tables = await sql<{ name: string; belongs: boolean }>(
    `SELECT t.table_name AS name, bool_or(c.column_name = 'workspace_id') AS belongs
       FROM information_schema.tables t JOIN information_schema.columns c USING (table_schema, table_name)
      WHERE t.table_schema = 'public' AND t.table_type = 'BASE TABLE' GROUP BY 1 ORDER BY 1`,
  )
  return async (workspaceId) => {
    const parts = tables
      .filter(({ name, belongs }) => workspaceId === undefined || belongs || name === 'workspaces')
      .map(({ name }) => {
        const mine = name === 'workspaces' ? 'id = $1' : 'workspace_id = $1'
        const row = `(to_jsonb(t) - 'last_used_at' - 'seen_at')::text`
        return `SELECT '${name}' AS name, md5(string_agg(${row}, '' ORDER BY ${row})) AS sum FROM "${name}" t
                 WHERE $1::text IS NULL ${workspaceId === undefined ? '' : `OR ${mine}`}`
      })
    const sums = await sql<{ name: string; sum: string | null }>(parts.join(' UNION ALL '), [workspaceId ?? null])
    return sums.map(({ name, sum }) => `${name} ${sum}`).join('\n')
  }
}
