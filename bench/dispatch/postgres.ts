import pg from 'pg'
import { postgresTime } from '../write/usage.ts'

/** What PostgreSQL on this machine has used so far, for everybody. */
export interface PostgresUse {
  /** Processor time in milliseconds; null: none of its processes are here. */
  readonly processor: number | null
  /** Bytes. */
  readonly wal: number
}

export async function postgresUse(databaseUrl: string): Promise<PostgresUse> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  const { rows } = await client.query<{ wal: string }>(`SELECT pg_current_wal_insert_lsn() - '0/0' AS wal`)
  await client.end()
  return { processor: await postgresTime(), wal: Number(rows[0]?.wal) }
}
