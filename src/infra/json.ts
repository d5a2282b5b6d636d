import { isUtf8 } from 'node:buffer'

/** What one JSON text may have; looked at before anything is parsed, whatever the transport. */
export const JSON_LIMITS = {
  /** Names of objects' members, in the whole text. */
  keys: 10_000,
  /** Elements of arrays, in the whole text. */
  items: 10_000,
  /** Arrays and objects within one another. Below what is free (`metadata`: 32 levels) there is room for the rest. */
  depth: 128,
} as const

/** A text that is not parsed. The message goes on after its name: "The body" "is not valid UTF-8". */
export class JsonError extends Error {
  override name = 'JsonError'
}

/** Stands in parsed JSON for a number that JavaScript cannot keep: what stores numbers refuses it. */
export class UnrepresentableNumber {
  readonly source: string

  /** @param source as it was written */
  constructor(source: string) {
    this.source = source
  }

  get fault(): string {
    return `must not contain the number ${this.source.slice(0, 40)}, which cannot be stored exactly: send it as a string`
  }
}

/**
 * Parses JSON in UTF-8. Its members, elements and nesting are counted on the bytes, in one pass, before the parser makes
 * anything of them. A number that is not finite, or an integer beyond 2^53, becomes an `UnkeptNumber`.
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

/** For JSON.parse: numbers that cannot be kept become `UnkeptNumber`s. */
export function keepNumbers(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value
  return numberOf(context.source)
}

/** A number from its text, or what stands for one that cannot be kept. */
export function numberOf(source: string): number | UnrepresentableNumber {
  return isExact(source) ? Number(source) : new UnrepresentableNumber(source)
}

/** Whether a number's text stands for a value that a double has: finite, and exact when it is an integer. */
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
/** Digits of the longest integer that is always exact. */
const SAFE_DIGITS = 15

/**
 * Looks at the bytes of a JSON text without parsing it. It need not be valid; what it finds is then about another text, and
 * the parser says what is wrong.
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
    // An exponent, or the e of true and false, which does no harm.
    if ((byte === 0x65 || byte === 0x45) && digits > 0) hasOddNumbers = true
    if (byte !== 0x2e) digits = 0
    if (byte === COLON && ++keys > JSON_LIMITS.keys) throw tooMany('keys', JSON_LIMITS.keys)
    if (byte === COMMA) commas++
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth++
    if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth--
    if (depth > JSON_LIMITS.depth) throw new JsonError(`is nested more than ${JSON_LIMITS.depth} levels deep`)
    // Commas separate members as well, of which there are as many as keys.
    if (commas - keys > JSON_LIMITS.items) throw tooMany('array elements', JSON_LIMITS.items)
  }
  return { hasOddNumbers }
}

/** @returns the place of the quote that ends the text which begins at `start` */
function endOfText(bytes: Uint8Array, start: number): number {
  let i = start + 1
  // What follows a backslash is a part of the text.
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1
  return i
}

function tooMany(what: string, max: number): JsonError {
  return new JsonError(`has more than ${max.toLocaleString('en')} ${what}: send less in one request`)
}
