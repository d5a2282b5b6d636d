import { horizonsOf } from '../../src/domain/events/event-horizon.ts'
import type { TestGudDesk } from './guddesk.ts'
import { until } from './until.ts'

/** A cursor before everything. */
export const START = Buffer.from('["0","0"]').toString('base64url')

/** Waits until nothing that was committed is still held back by a writer of events that is not done. */
export async function quiet({ deps }: Pick<TestGudDesk, 'deps'>): Promise<void> {
  const sql = 'SELECT count(*)::int AS held FROM events WHERE xid >= $1::xid8'
  await until(async () => {
    const { all } = await horizonsOf(deps.db, [])
    return (await deps.db.sql<{ held: number }>(sql, [String(all)]))[0]?.held === 0
  })
}
