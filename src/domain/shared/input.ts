import { z } from 'zod'
import { normalizeEmail } from '../../infra/email-address.ts'
import { JsonError, parseJson, UnrepresentableNumber } from '../../infra/json.ts'
import { type FieldError, type FieldErrorCode, NotFoundError, ValidationError } from './errors.ts'
import { type IdKind, kindOfId } from './ids.ts'

export { numberOf } from '../../infra/json.ts'

/** Parses the body of a request. @throws ValidationError when it is not JSON in UTF-8, or exceeds JSON_LIMITS */
export function parseJsonBody(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes)
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    throw new ValidationError([{ path: '', message: `The body ${error.message}` }])
  }
}

/** Parses external input. @throws ValidationError that names the first twenty invalid values, and counts the others */
export function parse<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const result = schema.safeParse(input, { reportInput: true })
  if (result.success) return result.data
  const { issues } = result.error
  const more = issues.length - MAX_FAULTS
  const rest = more > 0 ? [{ path: '', message: `${more} more values are invalid` }] : []
  throw new ValidationError([...issues.slice(0, MAX_FAULTS).map(fieldError), ...rest])
}

/** The maximum number of invalid values that a response names. */
const MAX_FAULTS = 20

function fieldError({ path, message, ...issue }: z.core.$ZodIssue): FieldError {
  const isMissing = issue.code === 'invalid_type' && issue.input === undefined
  const code = isMissing ? 'required' : (FIELD_ERROR_CODES[issue.code] ?? 'invalid')
  return { path: path.map(String).join('.'), message, code }
}

const FIELD_ERROR_CODES: Partial<Record<z.core.$ZodIssue['code'], FieldErrorCode>> = {
  too_small: 'too_small',
  too_big: 'too_large',
  unrecognized_keys: 'unknown',
}

/** PostgreSQL cannot store U+0000, and a lone surrogate has no UTF-8 form. */
function isStorable(value: string): boolean {
  return !value.includes('\u0000') && value.isWellFormed()
}

const NOT_STORABLE = 'must not contain U+0000 or lone surrogates'

/** Whether a text has at most `max` characters (code points). One has one or two units, so only texts of up to twice the length are counted. */
export function hasAtMost(max: number, value: string): boolean {
  return value.length <= max || (value.length <= 2 * max && [...value].length <= max)
}

/** Any text up to `max` characters (code points, as PostgreSQL's char_length counts). */
const bounded = (max: number) =>
  z
    .string()
    .refine(isStorable, NOT_STORABLE)
    .trim()
    .refine((value) => hasAtMost(max, value), `must have at most ${max} characters`)
    .meta({ maxLength: max })

/** Text of 1 to `max` characters after trimming. */
export const text = (max: number) => bounded(max).min(1, 'must not be empty')

/** Like `text`, but null and an empty text clear the value. */
export const clearableText = (max: number) =>
  bounded(max)
    .transform((value) => (value === '' ? null : value))
    .nullable()

/** Refuses an invalid id before it reaches the database. @throws NotFoundError, as for an unknown id */
export function requireId(kind: IdKind, id: string, noun: string): void {
  if (kindOfId(id) !== kind) throw new NotFoundError(noun)
}

/** An id; its form is checked later, when the object is looked up. */
export const idText = z.string().refine(isStorable, NOT_STORABLE).max(100, 'must have at most 100 characters')

/** An http(s) URL for display: pictures and home pages. */
export const webUrl = bounded(2048)
  .refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), 'must be an http(s) URL')
  .nullable()

const MAX_EMAIL = 320

/** An email address in any script, in its normal form. */
export const email = bounded(MAX_EMAIL).transform((value, issues) => {
  const address = normalizeEmail(value)
  if (address !== null && address.length <= MAX_EMAIL) return address
  issues.addIssue({ code: 'custom', message: 'must be an email address' })
  return z.NEVER
})

/** Whether the year in UTC has four digits, which ISO 8601 and PostgreSQL both support. */
function isInCalendar(date: Date): boolean {
  const year = date.getUTCFullYear()
  return year >= 1 && year <= 9999
}

const InstantText = z.iso.datetime({ offset: true }).transform((value) => new Date(value))

/** Parses ISO 8601 text with seconds and an offset or Z; null for other texts and for times that do not exist. */
export function parseInstant(value: unknown): Date | null {
  return InstantText.safeParse(value).data ?? null
}

/** An instant: a Date, or a text that parseInstant accepts. */
export const instant = z
  .union([z.date(), InstantText], 'must be an ISO 8601 time such as 2026-01-15T10:30:00.000Z')
  .refine(isInCalendar, 'must be a time between the years 1 and 9999')

/** A patch must change at least one field; for `refine`. */
export const changesSomething: readonly [(patch: object) => boolean, string] = [
  (patch) => Object.values(patch).some((value) => value !== undefined),
  'must have at least one field to change',
]

/** What names an object by one of several keys, for `refine`. */
export const hasOneKey: readonly [(keys: object) => boolean, string] = [
  (keys) => Object.values(keys).filter((value) => value !== undefined).length === 1,
  'must have exactly one of the arguments',
]

/** A span of time, open where an end is left out: `from` is inclusive, `after` and `to` are exclusive. */
export const timeRange = z
  .object({
    from: instant.describe('The start, inclusive. No limit by default.'),
    after: instant,
    to: instant.describe('The end, exclusive. No limit by default.'),
  })
  .partial()
export type TimeRange = z.output<typeof timeRange>

/** A time range as a Prisma condition. */
export function dateFilter({ from, after, to }: TimeRange): { gte?: Date; gt?: Date; lt?: Date } {
  return omitUndefined({ gte: from, gt: after, lt: to })
}

/** Whether a time is within a span. The same as dateFilter. */
export function isWithin({ from, after, to }: TimeRange, time: Date): boolean {
  if (from !== undefined && time < from) return false
  if (after !== undefined && time <= after) return false
  return to === undefined || time < to
}

export const MAX_DEPTH = 32
export const MAX_JSON_BYTES = 16_384

/** A free-form JSON object: at most 16 kB and 32 levels deep. */
export const jsonObject = z.record(z.string(), z.unknown()).superRefine((value, issues) => {
  const fault = jsonFault(value)
  if (fault !== null) issues.addIssue({ code: 'custom', message: fault })
})

/** Not recursive: the client chooses the depth, and the stack is limited. */
function jsonFault(root: unknown): string | null {
  const pending: { value: unknown; depth: number }[] = [{ value: root, depth: 0 }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, depth } = next
    if (typeof value === 'string' && !isStorable(value)) return NOT_STORABLE
    if (value instanceof UnrepresentableNumber) return value.fault
    if (typeof value !== 'object' || value === null) continue
    if (depth >= MAX_DEPTH) return `must be nested at most ${MAX_DEPTH} levels deep`
    for (const [key, child] of Object.entries(value)) {
      if (!isStorable(key)) return NOT_STORABLE
      pending.push({ value: child, depth: depth + 1 })
    }
  }
  return Buffer.byteLength(JSON.stringify(root)) <= MAX_JSON_BYTES ? null : `must be at most ${MAX_JSON_BYTES} bytes`
}

type WithoutUndefined<T> = { [K in keyof T]: Exclude<T[K], undefined> }

/** Removes the keys whose value is undefined. */
export function omitUndefined<T extends object>(values: T): Partial<WithoutUndefined<T>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<
    WithoutUndefined<T>
  >
}
