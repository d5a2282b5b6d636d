import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../support/guddesk.ts'
import { METRICS_TOKEN, scrape } from '../support/metrics.ts'
import { answer, type Receiver, startReceiver } from '../support/receiver.ts'
import { until } from '../support/until.ts'

let guddesk: TestGudDesk
let receiver: Receiver

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { METRICS_TOKEN } })
  receiver = await startReceiver()
})
afterAll(async () => {
  await guddesk?.stop()
  await receiver?.close()
})

const samplesNow = () => samplesOf(guddesk)

async function samplesOf(server: TestGudDesk): Promise<Map<string, number>> {
  const response = await scrape(server)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const text = await response.text()
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  // The format: a name, labels or none, a number.
  for (const sample of samples)
    expect(sample).toMatch(/^[a-z0-9_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? (Nan|[0-9.e+-]+)$/)
  for (const name of new Set(samples.map((sample) => sample.replace(/(_sum|_count|_bucket)?[ {].*/, '')))) {
    expect(text).toContain(`# HELP ${name} `)
    expect(text).toContain(`# TYPE ${name} `)
  }
  return new Map(samples.map((sample) => [sample.replace(/ .*/, ''), Number(sample.replace(/.* /, ''))]))
}

test('attempts are counted by what came of them', async () => {
  await guddesk.call('POST', '/api/agent/webhooks', { url: receiver.url })
  await guddesk.newConversation()
  const delivered = 'guddesk_delivery_attempts_total{outcome="delivered"}'
  await until(
    async () => (await samplesNow()).get(delivered) === 1,
    10_000,
    () => 'the delivery was not counted',
  )
  receiver.behave(answer(500))
  await guddesk.newConversation()
  const retried = 'guddesk_delivery_attempts_total{outcome="retry"}'
  await until(
    async () => (await samplesNow()).get(retried) === 1,
    10_000,
    () => 'the retry was not counted',
  )
  const now = await samplesNow()
  expect(now.get(delivered)).toBe(1)
  expect(now.get('guddesk_deliveries_claimed_total')).toBe(2)
  expect(now.get('guddesk_delivery_attempt_seconds_count')).toBe(2)
  expect(now.get('guddesk_delivery_attempt_seconds_bucket{le="+Inf"}')).toBe(2)
  expect(now.get('guddesk_delivery_wait_seconds_count')).toBe(2)
  expect(now.get('guddesk_event_delivered_seconds_count')).toBe(1)
  expect(now.get('guddesk_event_delivered_seconds_sum')).toBeGreaterThan(0)
  expect(now.get('guddesk_event_delivered_seconds_sum')).toBeLessThan(10)
  expect(now.get('guddesk_dispatch_claim_seconds_count')).toBeGreaterThan(0)
  expect(now.get('guddesk_dispatch_settle_seconds_count')).toBeGreaterThan(0)
  expect(now.get('guddesk_delivery_attempts_total{outcome="failed"}')).toBe(0)
  expect(now.get('guddesk_dispatch_endpoints')).toBe(1)
  expect(now.get('guddesk_deliveries_in_flight')).toBe(0)
  expect(now.get('process_resident_memory_bytes')).toBeGreaterThan(1e7)
})

test('requests are timed by what serves them, and Node reports itself', async () => {
  const server = await startGudDesk({ env: { METRICS_TOKEN } })
  const count = async (labels: string) => (await samplesOf(server)).get(`guddesk_http_request_seconds_count{${labels}}`)
  expect(await count('surface="rest",status="4xx"')).toBeUndefined()
  await server.call('GET', '/api/v1/conversations/conv_none')
  await server.graphql('{ viewer { __typename } }')
  expect(await count('surface="rest",status="4xx"')).toBe(1)
  expect(await count('surface="graphql",status="2xx"')).toBe(1)
  const samples = await samplesOf(server)
  expect(samples.get('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0)
  expect(samples.get('guddesk_database_waiting')).toBe(0)
  await server.stop()
})

test.each([
  ['nobody', {}],
  ['a key of the API', { authorization: 'Bearer gd_0123456789012345678901234567890123456789012' }],
  ['another token', { authorization: `Bearer ${METRICS_TOKEN}x` }],
])('%s does not get them', async (_, headers: Record<string, string>) => {
  const response = await fetch(`${guddesk.origin}/metrics`, { headers })
  expect(response.status).toBe(401)
  expect(await response.text()).not.toContain('guddesk_')
})

test('without a token there are none', async () => {
  const plain = await startGudDesk()
  expect((await fetch(`${plain.origin}/metrics`)).status).toBe(404)
  await plain.stop()
})
