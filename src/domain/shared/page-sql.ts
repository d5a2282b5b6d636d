import { Prisma } from '../../infra/database/db.ts'
import { MAX_PAGE_BYTES } from './page-budget.ts'

/**
 * Whether the `body` of a found row is read: that of each list's first row is, and as many others as a page has bytes for.
 * What a body takes is known without reading it.
 * @param list which of the lists of one statement the row is in
 * @param sortKey the order within it
 */
export function isRead(list: Prisma.Sql, sortKey: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(row_number() OVER (PARTITION BY ${list} ORDER BY ${sortKey}) = 1
         OR sum(octet_length(body)) OVER (ORDER BY ${list}, ${sortKey}) <= ${MAX_PAGE_BYTES}::int)`
}
