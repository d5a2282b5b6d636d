import pg from 'pg'

/*
 * Reading rows costs mostly what their values cost. The usual form of the usual types is read here without regular
 * expressions; everything else is left to pg's own parsers.
 */

const { builtins } = pg.types
const TEXT_ARRAY: number = 1009
const ownInstant = pg.types.getTypeParser(builtins.TIMESTAMPTZ)
const ownTextArray = pg.types.getTypeParser(TEXT_ARRAY)

/** `2026-01-31 12:00:00.5+00`: sessions run in UTC, with the date style ISO (pg-session.ts). */
function instant(text: string): unknown {
  // Date.UTC takes the years before 100 for others.
  const isUsual = text.length >= 22 && text.length <= 26 && text > '1' && text[4] === '-' && text.endsWith('+00')
  if (!isUsual) return ownInstant(text)
  // What is behind the dot is a fraction: `.5` are 500 ms.
  const ms = text.length === 22 ? 0 : Math.round(Number(`0${text.slice(19, -3)}`) * 1000)
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2)
  const day = [year, twoDigits(text, 5) - 1, twoDigits(text, 8)] as const
  return new Date(Date.UTC(...day, twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17), ms))
}

const ZERO = 48
const twoDigits = (text: string, at: number) => (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO

/** Of the parsers of rows, those that differ from pg's. */
const PARSERS: Record<number, (text: string) => unknown> = {
  [builtins.TIMESTAMPTZ]: instant,
  [builtins.JSONB]: (text) => (text === '{}' ? {} : JSON.parse(text)),
  [TEXT_ARRAY]: (text) => (text === '{}' ? [] : ownTextArray(text)),
}

export const VALUES: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => (format === 'text' ? PARSERS[oid] : undefined) ?? pg.types.getTypeParser(oid, format),
}
