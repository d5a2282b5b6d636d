import { Prisma } from '../../infra/database/db.ts'
import { columnsOf } from '../../infra/database/rows.ts'
import { jsonBytes, MAX_PAGE_BYTES } from './page-budget.ts'
import { type CursorRange, type Page, type PageRequest, paginate, TimeAndId } from './pagination.ts'

/**
 * A condition for reading the `body` of a found row: the body of each list's first row is always read, others while the
 * page has bytes left. The size of a body is known without reading it.
 * @param list the list of the row, among those of one statement
 * @param sortKey the order within the list
 */
export function isRead(list: Prisma.Sql, sortKey: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(row_number() OVER (PARTITION BY ${list} ORDER BY ${sortKey}) = 1
         OR sum(octet_length(body)) OVER (ORDER BY ${list}, ${sortKey}) <= ${MAX_PAGE_BYTES}::int)`
}

/**
 * The columns of a model's fields as the fields are called: `r.created_at AS "createdAt"`.
 * @param columns the columns that have other names than their fields
 */
export function columnsAs(
  table: string,
  fields: readonly string[],
  columns: Readonly<Record<string, string>> = {},
): Prisma.Sql {
  const names = columnsOf(
    table,
    fields.map((field) => columns[field] ?? field),
  )
  return Prisma.raw(fields.map((field, i) => `${names[i]} AS "${field}"`).join(', '))
}

/** A place in a list that belongs to another object, newest first. */
export type OwnedRange = CursorRange<TimeAndId>

/** What a list that belongs to another object is read from. */
export interface OwnedRows {
  /** `"createdAt"` and `id` among them. */
  readonly columns: Prisma.Sql
  /** A table or join; its rows are `r`. */
  readonly from: Prisma.Sql
  /** A condition on `r` and on `owner.id`. */
  readonly where: Prisma.Sql
}

/**
 * A query for the same range of the lists of many owners, newest first, each row with `"ownerId"`, and `n`, which list it
 * is in.
 */
export function rangeOfEach(
  ownerIds: readonly string[],
  { columns, from, where }: OwnedRows,
  { after, before, take, reverse }: OwnedRange,
): Prisma.Sql {
  const order = reverse ? Prisma.sql`ASC` : Prisma.sql`DESC`
  const older = after === null ? Prisma.empty : Prisma.sql`AND (r.created_at, r.id) < (${after[0]}, ${after[1]})`
  const newer = before === null ? Prisma.empty : Prisma.sql`AND (r.created_at, r.id) > (${before[0]}, ${before[1]})`
  return Prisma.sql`
    SELECT owner.id AS "ownerId", owner.n, page.*
      FROM unnest(${[...ownerIds]}::text[]) WITH ORDINALITY AS owner(id, n)
     CROSS JOIN LATERAL (
       SELECT ${columns} FROM ${from} WHERE ${where} ${older} ${newer}
        ORDER BY r.created_at ${order}, r.id ${order} LIMIT ${take}) page
     ORDER BY owner.n, page."createdAt" ${order}, page.id ${order}`
}

/** How a list that belongs to another object is read: together with those of others of its kind. */
export interface OwnedReader<Row> {
  find(range: OwnedRange): Promise<Row[]>
  count(): Promise<number>
  /** Bytes as JSON, where the row does not tell. */
  sizeOf?(row: Row): number
}

/** A page of such a list. The caller has judged who may see the owner. */
export function ownedPage<Row extends { id: string; createdAt: Date }>(
  page: PageRequest,
  { sizeOf = jsonBytes, ...reader }: OwnedReader<Row>,
): Promise<Page<Row>> {
  const key = { cursorKey: TimeAndId, cursorKeyOf: ({ createdAt, id }: Row): TimeAndId => [createdAt, id] }
  return paginate<Row, TimeAndId>(page, { ...reader, ...key, sizeOf })
}
