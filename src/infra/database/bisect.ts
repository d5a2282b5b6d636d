import { isRefused } from './db-away.ts'

/**
 * Does for many rows at once what can be done so. When the database refuses what one of them holds, halves are tried, down to
 * that row alone, which is set aside: the others do not wait for it.
 * @throws what `work` throws for any other reason, and what `setAside` throws; what was done until then stays done
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
