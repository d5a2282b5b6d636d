import { expect, test } from 'vitest'
import { StatementNames } from '../../../src/infra/database/statement-names.ts'

const ask = (names: StatementNames, text: string, times = 6) =>
  Array.from({ length: times }, () => names.of(text)).at(-1)

test('what comes again and again has a name of its own', () => {
  const names = new StatementNames()
  expect(ask(names, 'SELECT 1', 5)).toBeUndefined()
  const name = names.of('SELECT 1')
  expect(name).toMatch(/^values_[0-9a-f]{32}$/)
  expect(names.of('SELECT 1')).toBe(name)
  expect(ask(names, 'SELECT 2')).not.toBe(name)
})

test('there are 64 names, however many statements somebody thinks of', () => {
  const names = new StatementNames()
  for (let i = 0; i < 10_000; i++) names.of(`SELECT seldom ${i}`)
  const named = Array.from({ length: 100 }, (_, i) => ask(names, `SELECT often ${i}`)).filter(
    (name) => name !== undefined,
  )
  expect(new Set(named).size).toBe(64)
})
