import { serverAudits } from 'graphql-http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

/** The GraphQL-over-HTTP specification, as the authors of graphql-http check it. */
let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(async () => {
  await guddesk?.stop()
})

const audits = serverAudits({
  url: () => `${guddesk.origin}/graphql`,
  fetchFn: (url: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers)
    headers.set('authorization', `Bearer ${guddesk.tenant.key}`)
    return fetch(url, { ...init, headers })
  },
})

test('there is something to check', () => {
  expect(audits.filter(({ name }) => name.startsWith('MUST')).length).toBeGreaterThan(10)
  expect(audits.filter(({ name }) => name.startsWith('SHOULD')).length).toBeGreaterThan(20)
})

test.each(audits.map((audit) => [audit.name, audit] as const))('%s', async (_name, audit) => {
  const result = await audit.fn()
  expect(result).toMatchObject({ status: 'ok' })
})
