import pg from 'pg'
import { expect, test } from 'vitest'
import { VALUES } from '../../../src/infra/database/pg-values.ts'

const read = (oid: number, text: string) => (VALUES.getTypeParser(oid, 'text') as (value: string) => unknown)(text)

test.each([
  '2026-11-22 10:11:12+00',
  '2026-11-22 10:11:12.3+00',
  '2026-01-01 00:00:00.03+00',
  '2026-12-31 23:59:59.999+00',
  '0099-01-31 12:00:00+00',
  '2026-11-22 10:11:12.345678+00',
  '2026-11-22 10:11:12+05:30',
  '2026-11-22 10:11:12.5-03',
  '10000-01-01 00:00:00+00',
  '0044-03-15 12:00:00+00 BC',
  'infinity',
])('the instant %s is what pg makes of it', (text) => {
  const expected = (pg.types.getTypeParser(pg.types.builtins.TIMESTAMPTZ) as (value: string) => unknown)(text)
  expect(read(pg.types.builtins.TIMESTAMPTZ, text)).toEqual(expected)
})

test('lists and JSON are read, empty ones and others', () => {
  expect(read(1009, '{}')).toEqual([])
  expect(read(1009, '{a,"b, c",NULL,"\\"d\\""}')).toEqual(['a', 'b, c', null, '"d"'])
  expect(read(pg.types.builtins.JSONB, '{}')).toEqual({})
  expect(read(pg.types.builtins.JSONB, '{"a": [1, null]}')).toEqual({ a: [1, null] })
  // Nobody gets somebody else's.
  expect(read(pg.types.builtins.JSONB, '{}')).not.toBe(read(pg.types.builtins.JSONB, '{}'))
})
