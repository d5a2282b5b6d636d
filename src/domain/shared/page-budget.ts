import { ValidationError } from './errors.ts'

/** Where a page of a list ends, by the bytes of its rows as JSON. */
export const MAX_PAGE_BYTES = 2 * 2 ** 20
/** What the pages of one operation have together. */
const MAX_OPERATION_BYTES = 4 * 2 ** 20
/** What long texts and free JSON come to in one answer, wherever they stand: the first row of every page, objects by their ids, aliases. */
const MAX_ANSWER_BYTES = 8 * 2 ** 20
/** Below this many characters, the most that escapes can make of a text is near enough. */
const SHORT_TEXT = 64
/** As long as a number or a time can be. */
const SCALAR_BYTES = 26

/** How many bytes the pages of an operation may still have. One page after the other takes what its rows need. */
export class PageBudget {
  readonly #times: number
  #left = MAX_OPERATION_BYTES
  #spent = 0

  /** @param times how often each row may stand in the answer, by aliases */
  constructor(times = 1) {
    this.#times = times
  }

  /** @returns how many of the rows fit, from the first one on: at least one, so that every walk goes on */
  take<Row>(rows: readonly Row[], sizeOf: (row: Row) => number): number {
    const max = Math.min(MAX_PAGE_BYTES, this.#left)
    let bytes = 0
    let count = 0
    for (const row of rows) {
      const next = bytes + this.#times * sizeOf(row)
      if (count > 0 && next > max) break
      bytes = next
      count += 1
    }
    this.#left = Math.max(0, this.#left - bytes)
    return count
  }

  /**
   * Counts a value that stands in the answer, each time that it does.
   * @returns the value
   * @throws ValidationError when the answer would be too large
   */
  spend<Value>(value: Value): Value {
    this.#spent += jsonBytes(value)
    if (this.#spent <= MAX_ANSWER_BYTES) return value
    const message = 'The response would exceed 8 MiB: request fewer objects, or request their long fields only once'
    throw new ValidationError([{ path: '', message }])
  }

  /** Begins anew, for the next result of a subscription. */
  renew(): void {
    this.#left = MAX_OPERATION_BYTES
    this.#spent = 0
  }
}

/** At least as many bytes as a value takes as JSON. Long texts are measured, the rest is estimated from above. */
export function jsonBytes(value: unknown): number {
  if (typeof value === 'string') return textBytes(value)
  if (typeof value !== 'object' || value === null || value instanceof Date) return SCALAR_BYTES
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + jsonBytes(item) + 1, 2)
  return Object.entries(value).reduce((sum, [name, item]) => sum + textBytes(name) + jsonBytes(item) + 2, 2)
}

function textBytes(text: string): number {
  return text.length < SHORT_TEXT ? 6 * text.length + 2 : Buffer.byteLength(JSON.stringify(text))
}
