import fc from 'fast-check'
import type { GraphQLField } from 'graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { schema } from '../../../src/resolvers/index.ts'
import { overWebSocket } from '../../graphql/live.ts'
import { makeObjects } from '../../rest/objects.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { GRAPHQL_OPERATIONS, operationsOn, REST_OPERATIONS, runs } from '../../support/heavy/hostile.ts'

let guddesk: TestGudDesk
const secrets: string[] = []
const rejections: unknown[] = []
const note = (error: unknown) => rejections.push(error)

beforeAll(async () => {
  process.on('unhandledRejection', note)
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})

afterAll(async () => {
  process.off('unhandledRejection', note)
  await guddesk?.stop()
})

/** Each operation gets a workspace of its own: some take everything away that they are shown. */
async function newPool(): Promise<{ key: string; pool: string[] }> {
  const tenant = await guddesk.newTenant()
  const { agentKey, ...names } = await makeObjects(guddesk, tenant)
  secrets.push(tenant.key, agentKey)
  return { key: tenant.key, pool: Object.values(names) }
}

test.each(REST_OPERATIONS)('$name answers whatever comes, and never with a fault of its own', async ({ requests }) => {
  const { key, pool } = await newPool()
  const property = fc.asyncProperty(requests(pool), async ({ method, path, body, headers }) => {
    // Answers are compared with openapi.json on the way.
    const answer = await guddesk.call(method, path, body, { key, headers })
    expect([answer.status < 500, answer.status]).toEqual([true, answer.status])
    expect(answer.headers.get('x-request-id')).toMatch(/\S/)
  })
  await fc.assert(property, runs(40))
})

let executed = 0
let refused = 0

test.each(GRAPHQL_OPERATIONS)('$name answers whatever comes, and masks nothing', async ({ requests }) => {
  const { key, pool } = await newPool()
  const property = fc.asyncProperty(requests(pool), async ({ method, path, body }) => {
    const answer = await guddesk.call(method, path, body, { key })
    expect([answer.status < 500, answer.status]).toEqual([true, answer.status])
    const { data, errors = [] } = answer.body
    for (const { message, extensions } of errors) {
      expect([message, extensions?.code]).not.toEqual([message, 'internal_error'])
      expect([message, extensions?.code]).toEqual([message, expect.any(String)])
    }
    if (data == null) refused += 1
    else executed += 1
  })
  await fc.assert(property, runs(30))
})

test('a fair part of the operations was executed, rather than found malformed', () => {
  expect(executed).toBeGreaterThan((executed + refused) / 4)
})

const subscriptions = Object.values<GraphQLField<unknown, unknown>>(schema.getSubscriptionType()?.getFields() ?? {})

test.each(subscriptions)('subscription $name takes whatever comes', async (field) => {
  const { key, pool } = await newPool()
  const property = fc.asyncProperty(operationsOn('subscription', field, pool), async ({ query, variables }) => {
    const live = overWebSocket(guddesk, variables, { key, query })
    await new Promise((resolve) => setTimeout(resolve, 30))
    await live.stop()
    for (const { message, extensions } of live.errors)
      expect([message, extensions?.['code']]).not.toEqual([message, 'internal_error'])
  })
  await fc.assert(property, runs(20))
})

test('after all that, nothing was rejected unseen, no fault logged, and no secret', () => {
  expect(rejections).toEqual([])
  const lines = guddesk.logs
  expect(lines.length).toBeGreaterThan(500)
  expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([])
  const text = JSON.stringify(lines)
  expect(secrets.length).toBeGreaterThan(100)
  for (const secret of [guddesk.tenant.key, ...secrets]) expect(text).not.toContain(secret)
  expect(text).not.toMatch(/gd_[A-Za-z0-9_-]{20}/)
})
