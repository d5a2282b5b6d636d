import { readdir, readFile } from 'node:fs/promises'
import pg from 'pg'

const TICK_MS = 10

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

/** What one process has used so far, in milliseconds; null where it cannot be read (proc_pid_stat(5): utime and stime). */
export async function processorTime(pid: number | undefined): Promise<number | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat === '' ? null : timeIn(stat)
}

function timeIn(stat: string, { withEnded = false } = {}): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const own = Number(fields[11]) + Number(fields[12])
  return (withEnded ? own + Number(fields[13]) + Number(fields[14]) : own) * TICK_MS
}

/** Of all PostgreSQL processes on this machine, with connections that have ended (cutime and cstime); null when there is none. */
async function postgresTime(): Promise<number | null> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')))
  const times = stats.filter((stat) => stat.includes('(postgres)')).map((stat) => timeIn(stat, { withEnded: true }))
  return times.length === 0 ? null : times.reduce((sum, time) => sum + time, 0)
}
