import { z } from 'zod'
import { ValidationError } from './errors.ts'
import { instant } from './input.ts'
import { jsonBytes, PageBudget } from './page-budget.ts'

export const DEFAULT_LIMIT = 25
export const MAX_LIMIT = 100

/**
 * A part of a list: `limit` rows between two cursors, both excluded; from the end of that range if `fromEnd` is set. A
 * page has fewer rows if more would exceed its bytes.
 */
export interface PageRequest {
  readonly limit: number
  /** After this row; null: from the start of the list. */
  readonly cursor: string | null
  /** Before this row; null or omitted: to the end of the list. */
  readonly before?: string | null
  readonly fromEnd?: boolean
  /** The name of the cursor in error messages, if it is not `cursor`. */
  readonly cursorName?: string
  /** The budget shared with other pages of the operation; by default, the page has its own. */
  readonly budget?: PageBudget
}

export interface Page<Row> {
  /** In the order of the list, from either end. */
  readonly rows: Row[]
  /** The cursor of a row, by its index on the page. */
  cursorOf(index: number): string
  /** The cursor of the next page; null at the end. */
  readonly nextCursor: string | null
  /** Whether the list has rows after and before the page; queried on request if reading the page did not tell. */
  hasNext(): Promise<boolean>
  hasPrevious(): Promise<boolean>
  /** The number of rows in the whole list; counted on request. */
  total(): Promise<number>
}

/** The rows to find. `CursorKey` is the position of a row in its list. */
export interface CursorRange<CursorKey> {
  /** Both excluded. */
  readonly after: CursorKey | null
  readonly before: CursorKey | null
  readonly take: number
  /** From the end of the range, last row first. */
  readonly reverse: boolean
}

/** An ordered list. Paging in both directions is derived from these functions. */
export interface PagedList<Row, CursorKey> {
  /** The content of a cursor. */
  readonly cursorKey: z.ZodType<CursorKey>
  cursorKeyOf(row: Row): CursorKey
  /** Finds at most `take` rows, in the order of the list, or reversed if `reverse` is set. */
  find(range: CursorRange<CursorKey>): Promise<Row[]>
  count(): Promise<number>
  /**
   * The bytes as JSON, if the row does not contain them. Infinity for a row that was found but not read, which is left
   * to the next page.
   */
  sizeOf?(row: Row): number
}

/**
 * A page of a list. One more row is read, to find out whether there is another page.
 * @throws ValidationError for a malformed cursor
 */
export async function paginate<Row, CursorKey extends readonly unknown[]>(
  {
    limit,
    cursor,
    before: end = null,
    fromEnd: reverse = false,
    cursorName = 'cursor',
    budget = new PageBudget(),
  }: PageRequest,
  list: PagedList<Row, CursorKey>,
): Promise<Page<Row>> {
  const after = cursor === null ? null : decodeCursor(cursor, list.cursorKey, cursorName)
  const before = end === null ? null : decodeCursor(end, list.cursorKey, 'before')
  const found = await list.find({ after, before, take: limit + 1, reverse })
  const asked = found.slice(0, limit)
  const rows = asked.slice(0, budget.take(asked, list.sizeOf ?? jsonBytes))
  const isCut = found.length > rows.length
  if (reverse) rows.reverse()
  const cursorOf = (index: number) => {
    const row = rows.at(index)
    if (row === undefined) throw new RangeError(`There is no row ${index} on this page`)
    return encodeCursor(list.cursorKeyOf(row))
  }
  const exists = async (range: Partial<CursorRange<CursorKey>>) => {
    const lookup = { after: null, before: null, take: 1, reverse: false, ...range }
    return (await list.find(lookup)).length > 0
  }
  const [first, last] = [rows[0], rows.at(-1)]
  return {
    rows,
    cursorOf,
    nextCursor: isCut && !reverse ? cursorOf(-1) : null,
    total: () => list.count(),
    async hasNext() {
      if (!reverse && (isCut || before === null)) return isCut
      if (reverse && before === null) return false
      return exists(last === undefined ? {} : { after: list.cursorKeyOf(last) })
    },
    async hasPrevious() {
      if (reverse && (isCut || after === null)) return isCut
      if (!reverse && after === null) return false
      return exists(first === undefined ? {} : { before: list.cursorKeyOf(first), reverse: true })
    },
  }
}

/** Parses `?limit=`: the default if it is not a number or below 1, at most the maximum. */
export function parseLimit(value: string | undefined): number {
  const limit = Number(value)
  if (!Number.isFinite(limit) || limit < 1) return DEFAULT_LIMIT
  return Math.min(Math.floor(limit), MAX_LIMIT)
}

/** A cursor is opaque to clients: base64url of a JSON tuple. */
export function encodeCursor(key: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url')
}

/**
 * @param name the argument of the cursor
 * @throws ValidationError for a text that encodeCursor did not create
 */
export function decodeCursor<CursorKey>(cursor: string, key: z.ZodType<CursorKey>, name: string): CursorKey {
  const malformed = () =>
    new ValidationError([
      { path: name, message: 'is invalid: pass a cursor from an earlier response unchanged, or omit it' },
    ])
  const bytes = Buffer.from(cursor, 'base64url')
  // Buffer.from skips characters that are not base64url.
  if (bytes.toString('base64url') !== cursor) throw malformed()
  try {
    return key.parse(JSON.parse(bytes.toString('utf8')))
  } catch {
    throw malformed()
  }
}

/** A constant time and an id: the position of a row in most lists. */
export const TimeAndId = z.tuple([instant, z.string().max(64).regex(/^\w+$/)])
export type TimeAndId = z.output<typeof TimeAndId>

type Direction = 'asc' | 'desc'

/** The order of a list: by a constant time, then by id in the same direction. */
export interface TimeOrder<Field extends string = string> {
  readonly field: Field
  readonly direction: Direction
}

export const NEWEST_FIRST = { field: 'createdAt', direction: 'desc' } as const

/** A range as Prisma arguments. `where` has only the key OR: other conditions go beside it, or into AND. */
export interface PrismaRange<Field extends string> {
  readonly where: { OR?: object[] }
  readonly orderBy: [{ [F in Field]: Direction }, { id: Direction }]
  readonly take: number
}

/** A list of Prisma rows; `sizeOf` as in List. */
interface TimeList<Field extends string, Row> {
  find(range: PrismaRange<Field>): Promise<Row[]>
  count(): Promise<number>
  readonly sizeOf?: (row: Row) => number
}

/** A page of Prisma rows, ordered by time and id. */
export async function inTimeOrder<Field extends string, Row extends { id: string } & { [F in Field]: Date }>(
  { field, direction }: TimeOrder<Field>,
  request: PageRequest,
  list: TimeList<Field, Row>,
): Promise<Page<Row>> {
  const isDescending = direction === 'desc'
  return paginate<Row, TimeAndId>(request, {
    cursorKey: TimeAndId,
    cursorKeyOf: (row) => [row[field], row.id],
    find: ({ after, before, take, reverse }) => {
      const towards = reverse === isDescending ? 'asc' : 'desc'
      const bounds = [
        ...(after === null ? [] : [keysetCondition(field, isDescending ? 'lt' : 'gt', after)]),
        ...(before === null ? [] : [keysetCondition(field, isDescending ? 'gt' : 'lt', before)]),
      ]
      const byField = { [field]: towards } as { [F in Field]: Direction }
      const where = bounds.length === 0 ? {} : { OR: [{ AND: bounds }] }
      return list.find({ where, orderBy: [byField, { id: towards }], take })
    },
    count: () => list.count(),
    ...(list.sizeOf && { sizeOf: list.sizeOf }),
  })
}

/** Prisma has no row comparison. The first condition follows from the second, and lets an index find the start. */
function keysetCondition(field: string, than: 'lt' | 'gt', [time, id]: TimeAndId): object {
  return { [field]: { [`${than}e`]: time }, OR: [{ [field]: { [than]: time } }, { id: { [than]: id } }] }
}

/** A page of a list by (createdAt, id), newest first. */
export function newestFirst<Row extends { id: string; createdAt: Date }>(
  request: PageRequest,
  list: TimeList<'createdAt', Row>,
): Promise<Page<Row>> {
  return inTimeOrder(NEWEST_FIRST, request, list)
}

/** A page of a list by (createdAt, id), oldest first. */
export function oldestFirst<Row extends { id: string; createdAt: Date }>(
  request: PageRequest,
  list: TimeList<'createdAt', Row>,
): Promise<Page<Row>> {
  return inTimeOrder({ field: 'createdAt', direction: 'asc' }, request, list)
}
