import pg from 'pg'

/**
 * GUDDESK_API_KEY applies only to an empty database, and the demo must not write into existing data.
 * @throws Error when the database has any table, or cannot be reached
 */
export async function requireEmptyDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  try {
    await client.connect()
    const { rows } = await client.query<{ name: string; tables: number }>(
      `SELECT current_database() AS name, count(*)::int AS tables FROM pg_tables
        WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    )
    const { name = '', tables = 0 } = rows[0] ?? {}
    if (tables === 0) return
    throw new Error(
      `The demo needs an empty database, but DATABASE_URL names "${name}", which has ${tables} tables. ` +
        'Create one for it (createdb guddesk_demo), or unset DATABASE_URL to use the embedded database.',
    )
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error
    throw new Error(`DATABASE_URL cannot be used: ${error.message || error.code}`, { cause: error })
  } finally {
    await client.end()
  }
}
