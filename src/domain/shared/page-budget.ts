import { ValidationError } from './errors.ts'

/** The end of a page by the bytes of its rows as JSON. */
export const MAX_PAGE_BYTES = 2 * 2 ** 20
/** The limit for all pages of one operation together. */
const MAX_OPERATION_BYTES = 4 * 2 ** 20
/**
 * The limit for long texts and free JSON in one response, wherever they occur: the first row of each page, objects by
 * id, aliases.
 */
const MAX_ANSWER_BYTES = 8 * 2 ** 20
/** Texts with fewer characters are estimated by their greatest size after escaping. */
const SHORT_TEXT = 64
/** The greatest size of a number or a time. */
const SCALAR_BYTES = 26

/** The remaining bytes for the pages of an operation. */
export class PageBudget {
  readonly #times: number
  #left = MAX_OPERATION_BYTES
  #spent = 0

  /** @param times how often each row can occur in the response, because of aliases */
  constructor(times = 1) {
    this.#times = times
  }

  /** @returns the number of rows that fit, at least one, so that paging always continues */
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
   * Counts a value for each of its occurrences in the response.
   * @returns the value
   * @throws ValidationError when the response would be too large
   */
  spend<Value>(value: Value): Value {
    this.#spent += jsonBytes(value)
    if (this.#spent <= MAX_ANSWER_BYTES) return value
    const message = 'The response would exceed 8 MiB: request fewer objects, or request their long fields only once'
    throw new ValidationError([{ path: '', message }])
  }

  /** Resets the budget for the next result of a subscription. */
  renew(): void {
    this.#left = MAX_OPERATION_BYTES
    this.#spent = 0
  }
}

/** An upper bound of the size of a value as JSON. Long texts are measured, the rest is estimated. */
export function jsonBytes(value: unknown): number {
  if (typeof value === 'string') return textBytes(value)
  if (typeof value !== 'object' || value === null || value instanceof Date) return SCALAR_BYTES
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + jsonBytes(item) + 1, 2)
  return Object.entries(value).reduce((sum, [name, item]) => sum + textBytes(name) + jsonBytes(item) + 2, 2)
}

function textBytes(text: string): number {
  return text.length < SHORT_TEXT ? 6 * text.length + 2 : Buffer.byteLength(JSON.stringify(text))
}
