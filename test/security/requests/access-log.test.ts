import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { pathPattern } from '../../../src/infra/path-pattern.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'

let guddesk: TestGudDesk
beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk?.stop())

const TOKEN = randomBytes(32).toString('base64url')

/** Sends the path as it is: fetch would resolve dots and encode characters. */
async function ask(path: string, method = 'GET'): Promise<void> {
  const url = new URL(guddesk.origin)
  await new Promise<void>((resolve, reject) => {
    request({ host: url.hostname, port: url.port, path, method, headers: { accept: 'text/html' } }, (answer) => {
      answer.resume().once('end', resolve)
    })
      .once('error', reject)
      .end()
  })
}

test.each([
  `/invitations/${TOKEN}`,
  `/invitations/${TOKEN}/`,
  `//invitations//${TOKEN}`,
  `/INVITATIONS/${TOKEN}`,
  `/%69nvitations/${TOKEN}`,
  `/./invitations/../invitations/${TOKEN}`,
  `/invitations%2F${TOKEN}`,
  `/invitations/${TOKEN}%0A`,
  `/invitations/${TOKEN};jsessionid=1`,
  `/invitations/x?token=${TOKEN}`,
  `/api/invitations/${TOKEN}`,
  `/api/auth/sign-in/link?token=${TOKEN}`,
  `/api/auth/sign-in/link/${TOKEN}`,
  `/api/auth/sign-in/link%3Ftoken=${TOKEN}`,
  `/sign-in?next=%2Finvitations%2F${TOKEN}`,
  `/api/v1/conversations/${TOKEN}`,
  `/api/v1/conversations/gd_${TOKEN}/messages`,
  `/graphql/${TOKEN}`,
  `/${TOKEN}`,
])('%s leaves no token in the log', async (path) => {
  const before = guddesk.logs.length
  for (const method of ['GET', 'POST']) await ask(path, method)
  await until(() => guddesk.logs.slice(before).filter(({ msg }) => msg === 'request completed').length === 2)
  expect(JSON.stringify(guddesk.logs.slice(before))).not.toContain(TOKEN)
})

test.each([
  ['/api/v1/conversations', '/api/v1/conversations'],
  ['/api/agent/reply', '/api/agent/reply'],
  ['/api/auth/sign-in/link', '/api/auth/sign-in/link'],
  ['/invitations/short', '/invitations/*'],
  ['/w/acme/inbox/open', '/w/acme/inbox/open'],
  ['/w/acme-2024/inbox', '/w/*/inbox'],
  ['/assets/index-Bx1.js', '/assets/*'],
  ['/', '/'],
  [`/${'a'.repeat(21)}`, '/*'],
  [`${'/x'.repeat(5000)}`, '/x'.repeat(100)],
])('%s is logged as %s', (path, logged) => {
  expect(pathPattern(path)).toBe(logged)
})

test('an id stays: it says what a request was about, and opens nothing', () => {
  const path = `/api/v1/conversations/${newId('conversation')}/messages`
  expect(pathPattern(path)).toBe(path)
})
