import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(() => guddesk?.stop())

async function follow(query: string): Promise<IncomingMessage> {
  const headers = {
    authorization: `Bearer ${guddesk.tenant.key}`,
    'content-type': 'application/json',
    accept: 'text/event-stream',
  }
  const asked = request(`${guddesk.origin}/graphql`, { method: 'POST', headers })
  asked.end(JSON.stringify({ query }))
  const [answer] = await once(asked, 'response')
  return answer
}

test('an event stream tells proxies to pass on at once what it sends, and begins with a comment', async () => {
  const answer = await follow('subscription { events { cursor event { type } } }')
  expect(answer.statusCode).toBe(200)
  expect(answer.headers).toMatchObject({
    'content-type': 'text/event-stream',
    'x-accel-buffering': 'no',
    'cache-control': 'no-cache, no-transform',
  })
  const [first] = await once(answer, 'data')
  expect(String(first)).toBe(':\n\n')
  answer.destroy()
})

test('comments follow while nothing happens', async () => {
  const answer = await follow('subscription { events { cursor event { type } } }')
  let text = ''
  answer.on('data', (chunk) => {
    text += chunk
  })
  await until(() => text.length >= 9, 20_000)
  expect(text).toMatch(/^(:\n\n)+$/)
  answer.destroy()
})

test('a refusal in the form of an event stream has the same headers', async () => {
  const answer = await follow('subscription { nothing }')
  expect(answer.headers).toMatchObject({ 'x-accel-buffering': 'no', 'cache-control': 'no-cache, no-transform' })
  expect(Buffer.concat(await answer.toArray()).toString()).toContain('GRAPHQL_VALIDATION_FAILED')
})
