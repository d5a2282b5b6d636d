import { z } from 'zod'
import { ValidationError } from './errors.ts'
import { instant } from './input.ts'

export const DEFAULT_LIMIT = 25
export const MAX_LIMIT = 100

/** A part of a list: `limit` rows after `cursor`. */
export interface PageRequest {
  readonly limit: number
  readonly cursor: string | null
}

export interface Page<Row> {
  readonly rows: Row[]
  /** Of each row. */
  readonly cursors: string[]
  /** For the next page; null at the end. */
  readonly nextCursor: string | null
  /** Rows in the whole list: counted when asked. */
  total(): Promise<number>
}

/** Reads `?limit=`: not a number or below 1 is the default, above the maximum is the maximum. */
export function parseLimit(value: string | undefined): number {
  const limit = Number(value)
  if (!Number.isFinite(limit) || limit < 1) return DEFAULT_LIMIT
  return Math.min(Math.floor(limit), MAX_LIMIT)
}

/** A cursor is opaque to clients: base64url of a JSON tuple. */
export function encodeCursor(position: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url')
}

/** @throws ValidationError for anything that encodeCursor did not make */
export function decodeCursor<S extends z.ZodType>(cursor: string, schema: S): z.output<S> {
  const malformed = () =>
    new ValidationError([{ path: 'cursor', message: 'is malformed: use a cursor of an earlier page as it is' }])
  const bytes = Buffer.from(cursor, 'base64url')
  // Buffer.from skips what is not base64url.
  if (bytes.toString('base64url') !== cursor) throw malformed()
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')))
  } catch {
    throw malformed()
  }
}

/** The row's time and id. */
export const NewestFirst = z.tuple([instant, z.string().max(64).regex(/^\w+$/)])

/** Prisma filter for the rows after a cursor in a list of (time, id), both descending. */
export function afterCursor(field: 'createdAt' | 'installedAt', cursor: string | null): object {
  if (cursor === null) return {}
  const [time, id] = decodeCursor(cursor, NewestFirst)
  return { OR: [{ [field]: { lt: time } }, { [field]: time, id: { lt: id } }] }
}

/** Cuts the extra row that tells whether there is a next page. `fetched` has up to limit + 1 rows. */
export function cutPage<Row>(
  fetched: Row[],
  limit: number,
  total: () => Promise<number>,
  cursorOf: (row: Row) => string,
): Page<Row> {
  const rows = fetched.slice(0, limit)
  const cursors = rows.map(cursorOf)
  return { rows, cursors, total, nextCursor: fetched.length > limit ? (cursors.at(-1) ?? null) : null }
}

/** The part of a newest-first list that a page needs, as Prisma's arguments. */
export interface Slice {
  readonly where: object
  readonly orderBy: [{ createdAt: 'desc' }, { id: 'desc' }]
  readonly take: number
}

/** A page of a list in the order of (createdAt, id), newest first. */
export async function newestFirst<Row extends { id: string; createdAt: Date }>(
  { limit, cursor }: PageRequest,
  list: { find(slice: Slice): Promise<Row[]>; count(): Promise<number> },
): Promise<Page<Row>> {
  const where = afterCursor('createdAt', cursor)
  const rows = await list.find({ where, orderBy: [{ createdAt: 'desc' }, { id: 'desc' }], take: limit + 1 })
  return cutPage(rows, limit, list.count, ({ createdAt, id }) => encodeCursor([createdAt, id]))
}
