import pg from 'pg'
import { postgresUse, processorTime } from '../usage.ts'

/** What a server and its database have used so far; null where it cannot be read. */
export interface Usage {
  /** Processor time in milliseconds. */
  readonly nodeMs: number | null
  readonly postgresMs: number | null
  /** Bytes. */
  readonly wal: number | null
  readonly transactions: number | null
  /** Updates of conversations, and those that needed no index entry. */
  readonly updates: number | null
  readonly hotUpdates: number | null
}

/** PostgreSQL publishes its statistics within this time. */
const STATISTICS_MS = 1200

/** @param databaseUrl left out: the embedded database, which belongs to the process */
export async function usageOf(pid: number, databaseUrl: string | undefined): Promise<Usage> {
  const nodeMs = await processorTime(pid)
  if (databaseUrl === undefined) {
    return { nodeMs, postgresMs: null, wal: null, transactions: null, updates: null, hotUpdates: null }
  }
  const { processor: postgresMs, wal } = await postgresUse(databaseUrl)
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await new Promise((resolve) => setTimeout(resolve, STATISTICS_MS))
    const { rows: statistics } = await client.query(`
      SELECT (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()) AS transactions,
             n_tup_upd AS updates, n_tup_hot_upd AS hot FROM pg_stat_user_tables WHERE relname = 'conversations'`)
    const [{ transactions, updates, hot }] = statistics
    return {
      ...{ nodeMs, postgresMs, wal, transactions: Number(transactions) },
      ...{ updates: Number(updates), hotUpdates: Number(hot) },
    }
  } finally {
    await client.end()
  }
}
