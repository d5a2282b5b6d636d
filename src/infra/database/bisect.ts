import { isRefused } from './db-away.ts'

/**
 * Processes many rows at once. When the database refuses one of them, the batch is halved until that row is isolated
 * and set aside, so that the others do not wait for it.
 * @throws other errors of `work`, and errors of `setAside`; completed rows stay completed
 */
export async function bisect<Row>(
  rows: readonly Row[],
  work: (some: readonly Row[]) => Promise<void>,
  setAside: (row: Row, error: unknown) => void | Promise<void>,
): Promise<void> {
  const [first] = rows
  if (first === undefined) return
  try {
    return await work(rows)
  } catch (error) {
    if (!isRefused(error)) throw error
    if (rows.length === 1) return setAside(first, error)
  }
  const middle = rows.length >> 1
  await bisect(rows.slice(0, middle), work, setAside)
  await bisect(rows.slice(middle), work, setAside)
}
