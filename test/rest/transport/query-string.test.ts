import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseQueryString } from '../../../src/http/query-string.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(() => guddesk?.stop())

test('names and values are decoded, and a repeated name has a list of them', () => {
  expect(parseQueryString('a=1&b=%C3%A9+x&a=2&c&a=3&__proto__=d')).toEqual(
    Object.fromEntries([
      ['a', ['1', '2', '3']],
      ['b', 'é x'],
      ['c', ''],
      ['__proto__', 'd'],
    ]),
  )
})

test('a URL with more than 100 parameters is refused', async () => {
  for (const path of ['/api/v1/conversations', '/api/v1/workspaces']) {
    const { status, error } = await guddesk.call('GET', `${path}?${'a=1&'.repeat(101)}`)
    expect([status, error.message]).toEqual([400, 'The URL must have at most 100 parameters'])
  }
})
