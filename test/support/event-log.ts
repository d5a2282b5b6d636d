import type { TestGudDesk } from './guddesk.ts'
import { until } from './until.ts'

/** A cursor before everything. */
export const START = Buffer.from('["0","0"]').toString('base64url')

/**
 * Waits until nothing that was committed is still held back: any transaction on the same server, other tests' included,
 * holds back what was committed after it began. Lists end before it, and whoever begins to follow meanwhile gets it too.
 */
export async function quiet({ deps }: Pick<TestGudDesk, 'deps'>): Promise<void> {
  const sql = 'SELECT count(*)::int AS held FROM events WHERE xid >= pg_snapshot_xmin(pg_current_snapshot())'
  await until(async () => (await deps.db.sql<{ held: number }>(sql))[0]?.held === 0)
}
