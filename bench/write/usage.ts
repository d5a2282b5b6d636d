import { readdir, readFile } from 'node:fs/promises'
import pg from 'pg'

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

const TICK_MS = 10
/** PostgreSQL publishes its statistics within this time. */
const STATISTICS_MS = 1200

/** @param databaseUrl left out: the embedded database, which belongs to the process */
export async function usageOf(pid: number, databaseUrl: string | undefined): Promise<Usage> {
  const nodeMs = await processorTime(pid)
  if (databaseUrl === undefined) {
    return { nodeMs, postgresMs: null, wal: null, transactions: null, updates: null, hotUpdates: null }
  }
  const postgresMs = await postgresTime()
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const { rows: lsn } = await client.query(`SELECT pg_current_wal_insert_lsn() - '0/0' AS wal`)
    await new Promise((resolve) => setTimeout(resolve, STATISTICS_MS))
    const { rows: statistics } = await client.query(`
      SELECT (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()) AS transactions,
             n_tup_upd AS updates, n_tup_hot_upd AS hot FROM pg_stat_user_tables WHERE relname = 'conversations'`)
    const [{ transactions, updates, hot }] = statistics
    return {
      ...{ nodeMs, postgresMs, wal: Number(lsn[0].wal), transactions: Number(transactions) },
      ...{ updates: Number(updates), hotUpdates: Number(hot) },
    }
  } finally {
    await client.end()
  }
}

/** Of one process, in milliseconds (proc_pid_stat(5): utime and stime). */
export async function processorTime(pid: number | string): Promise<number | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat === '' ? null : timeIn(stat)
}

function timeIn(stat: string, { withEnded = false } = {}): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const own = Number(fields[11]) + Number(fields[12])
  return (withEnded ? own + Number(fields[13]) + Number(fields[14]) : own) * TICK_MS
}

/** Of all PostgreSQL processes on this machine, with connections that have ended (cutime and cstime); null when there is none. */
export async function postgresTime(): Promise<number | null> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')))
  const times = stats.filter((stat) => stat.includes('(postgres)')).map((stat) => timeIn(stat, { withEnded: true }))
  return times.length === 0 ? null : times.reduce((sum, time) => sum + time, 0)
}
