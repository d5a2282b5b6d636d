import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'

let guddesk: TestGudDesk
/** A workspace of its own for every test. */
let tenant: Tenant

// Nobody sends: what waits stays as it is.
beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})

afterAll(() => guddesk?.stop())

beforeEach(async () => {
  tenant = await guddesk.newTenant()
})

const STATE = graphql(`{ dispatchState { pending scheduled held due oldestDueSeconds } }`)
const EMPTY = { pending: 0, scheduled: 0, held: 0, due: 0, oldestDueSeconds: null }

const state = async (key = tenant.key) => (await guddesk.query(STATE, {}, { key })).dispatchState

async function register(url: string): Promise<string> {
  const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url }, { key: tenant.key })
  return data.endpoint.id
}

test('tells what is due and for how long, what is scheduled, and what is held', async () => {
  expect(await state()).toEqual(EMPTY)
  const endpointId = await register('http://127.0.0.1:9/one')
  await guddesk.newConversation(tenant)
  await guddesk.newConversation(tenant)
  expect(await state()).toMatchObject({ pending: 2, due: 2, oldestDueSeconds: expect.any(Number) })
  guddesk.clock.advance(90_000)
  const { oldestDueSeconds } = await state()
  expect(oldestDueSeconds).toBeGreaterThanOrEqual(90)
  expect(oldestDueSeconds).toBeLessThan(120)

  const { delivery, webhookEndpoint } = guddesk.deps.db.prisma
  const { id } = await delivery.findFirstOrThrow({ where: { endpointId } })
  const due = new Date(guddesk.clock.now().getTime() + 3_600_000)
  await delivery.update({ where: { id }, data: { nextAttemptAt: due, attempts: 1 } })
  expect(await state()).toMatchObject({ pending: 2, due: 1, scheduled: 1, held: 0 })

  await webhookEndpoint.update({ where: { id: endpointId }, data: { isEnabled: false } })
  expect(await state()).toEqual({ ...EMPTY, pending: 2, held: 2 })
  expect(await state((await guddesk.newTenant()).key)).toEqual(EMPTY)
})

test('an agent is told of its own endpoints alone', async () => {
  await register('http://127.0.0.1:9/two')
  const install = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/agent' }
  const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
  await guddesk.newConversation(tenant)
  expect(await state()).toMatchObject({ pending: 2, due: 2 })
  expect(await state(agent.credentials.apiKey)).toMatchObject({ pending: 1, due: 1 })
})
