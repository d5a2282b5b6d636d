import { isUtf8 } from 'node:buffer'

/** The limits of one JSON text, checked before it is parsed, on every transport. */
export const JSON_LIMITS = {
  /** Members of objects, in the whole text. */
  keys: 10_000,
  /** Elements of arrays, in the whole text. */
  items: 10_000,
  /** The depth of nested arrays and objects, with room for free JSON (`metadata`: 32 levels) within a request. */
  depth: 128,
} as const

/** The text is refused. The message continues after its name: "The body" "is not valid UTF-8". */
export class JsonError extends Error {
  override name = 'JsonError'
}

/** Replaces a number that JavaScript cannot represent in parsed JSON. Code that stores numbers refuses it. */
export class UnrepresentableNumber {
  readonly source: string

  /** @param source the text of the number */
  constructor(source: string) {
    this.source = source
  }

  get fault(): string {
    return `must not contain the number ${this.source.slice(0, 40)}, which cannot be stored exactly: send it as a string`
  }
}

/**
 * Parses JSON in UTF-8. Members, elements and nesting are counted on the bytes, in one pass, before parsing. A number
 * that is not finite, or an integer beyond 2^53, becomes an `UnrepresentableNumber`.
 * @throws JsonError
 */
export function parseJson(bytes: Uint8Array): unknown {
  const { hasOddNumbers } = checkJson(bytes)
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  try {
    return hasOddNumbers ? JSON.parse(text, keepNumbers) : JSON.parse(text)
  } catch {
    throw new JsonError('is not valid JSON')
  }
}

/** For JSON.parse: replaces unrepresentable numbers. */
export function keepNumbers(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value
  return numberOf(context.source)
}

/** The number of a text, or an `UnrepresentableNumber`. */
export function numberOf(source: string): number | UnrepresentableNumber {
  return isExact(source) ? Number(source) : new UnrepresentableNumber(source)
}

/** Whether a double represents the number: finite, and exact if it is an integer. */
function isExact(source: string): boolean {
  const value = Number(source)
  if (!Number.isFinite(value)) return false
  if (Number.isSafeInteger(value) || !Number.isInteger(value)) return true
  // 1e21 and 2^60 are exact, 2^53 + 1 is not.
  return !/^-?\d+$/.test(source) || BigInt(source) === BigInt(value)
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN_LIST = 0x5b
const OPEN_OBJECT = 0x7b
const CLOSE_LIST = 0x5d
const CLOSE_OBJECT = 0x7d
/** The number of digits of the longest integer that is always exact. */
const SAFE_DIGITS = 15

/**
 * Counts on the bytes of a JSON text without parsing it. For invalid texts, the result is meaningless, and the parser
 * reports the error.
 * @throws JsonError
 */
export function checkJson(bytes: Uint8Array): { hasOddNumbers: boolean } {
  if (!isUtf8(bytes)) throw new JsonError('is not valid UTF-8')
  let keys = 0
  let commas = 0
  let depth = 0
  let digits = 0
  let hasOddNumbers = false
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (byte === QUOTE) {
      i = endOfText(bytes, i)
      digits = 0
      continue
    }
    if (byte !== undefined && byte >= 0x30 && byte <= 0x39) {
      if (++digits > SAFE_DIGITS) hasOddNumbers = true
      continue
    }
    // An exponent, or the e of true and false, which is harmless.
    if ((byte === 0x65 || byte === 0x45) && digits > 0) hasOddNumbers = true
    if (byte !== 0x2e) digits = 0
    if (byte === COLON && ++keys > JSON_LIMITS.keys) throw tooMany('keys', JSON_LIMITS.keys)
    if (byte === COMMA) commas++
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth++
    if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth--
    if (depth > JSON_LIMITS.depth) throw new JsonError(`is nested more than ${JSON_LIMITS.depth} levels deep`)
    // Commas also separate members, of which there are as many as keys.
    if (commas - keys > JSON_LIMITS.items) throw tooMany('array elements', JSON_LIMITS.items)
  }
  return { hasOddNumbers }
}

/** @returns the position of the closing quote of the string that begins at `start` */
function endOfText(bytes: Uint8Array, start: number): number {
  let i = start + 1
  // A backslash escapes the next byte.
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1
  return i
}

function tooMany(what: string, max: number): JsonError {
  return new JsonError(`has more than ${max.toLocaleString('en')} ${what}: send less in one request`)
}
