import { describe, expect, test } from 'vitest'
import { graphql } from '../../support/graphql.ts'
import { statementsOf } from '../../support/statements.ts'
import { ask, deliver, endpointId, guddesk, tenant, useEndpoint } from './stats-steps.ts'

useEndpoint()

describe('deliveryStats', () => {
  const STATS = graphql(`query ($endpointId: ID, $from: DateTime!, $to: DateTime!, $bucket: StatsBucket!) {
    deliveryStats(endpointId: $endpointId, from: $from, to: $to, bucket: $bucket) {
      start sent delivered failed pending durationP50Ms durationP95Ms latencyP50Ms latencyP95Ms
    } }`)
  const noon = new Date('2026-03-01T12:00:00.000Z')
  const minutes = (count: number) => new Date(noon.getTime() + count * 60_000)
  const EMPTY = { sent: 0, delivered: 0, failed: 0, pending: 0 }
  const UNMEASURED = { durationP50Ms: null, durationP95Ms: null, latencyP50Ms: null, latencyP95Ms: null }

  async function stats(variables: object, key = tenant.key) {
    return (await ask(STATS, variables, key)).deliveryStats
  }

  test('tells what became of what happened in each bucket, the empty ones included', async () => {
    for (let i = 1; i <= 20; i++) {
      await deliver({ at: minutes(i), status: 'DELIVERED', durations: [i * 10], late: i })
    }
    await deliver({ at: minutes(130), status: 'FAILED', durations: [5, 7, 9], late: 40 })
    await deliver({ at: minutes(131), status: 'PENDING' })
    await deliver({ at: minutes(132), status: 'SKIPPED' })
    await deliver({ at: minutes(133), status: 'FAILED', durations: [1000], isTest: true })
    await deliver({ at: minutes(240), status: 'DELIVERED', durations: [1] })
    await deliver({ at: minutes(-1), status: 'DELIVERED', durations: [1] })
    // Both ends within a bucket: whole buckets are shown.
    const found = await stats({ from: minutes(30), to: minutes(200), bucket: 'HOUR' })
    expect(found).toEqual([
      {
        ...{ start: minutes(0).toISOString(), ...EMPTY, sent: 20, delivered: 20 },
        ...{ durationP50Ms: 100, durationP95Ms: 190, latencyP50Ms: 10, latencyP95Ms: 19 },
      },
      { start: minutes(60).toISOString(), ...EMPTY, ...UNMEASURED },
      {
        ...{ start: minutes(120).toISOString(), ...EMPTY, sent: 1, failed: 1, pending: 1 },
        ...{ durationP50Ms: 7, durationP95Ms: 9, latencyP50Ms: 40, latencyP95Ms: 40 },
      },
      { start: minutes(180).toISOString(), ...EMPTY, ...UNMEASURED },
    ])
  })

  test('has buckets of a minute and of a day in UTC', async () => {
    await deliver({ at: minutes(0), status: 'DELIVERED', durations: [1] })
    const perMinute = await stats({ from: minutes(-1), to: minutes(2), bucket: 'MINUTE' })
    expect(perMinute.map(({ sent }: { sent: number }) => sent)).toEqual([0, 1, 0])
    const perDay = await stats({ from: minutes(0), to: minutes(1441), bucket: 'DAY' })
    const days = ['2026-03-01T00:00:00.000Z', '2026-03-02T00:00:00.000Z']
    expect(perDay.map(({ start, sent }: { start: string; sent: number }) => [start, sent])).toEqual([
      [days[0], 1],
      [days[1], 0],
    ])
  })

  test('has room for years', async () => {
    await deliver({ at: minutes(0), status: 'DELIVERED', durations: [1] })
    await deliver({ at: minutes(999 * 1440), status: 'DELIVERED', durations: [1] })
    // Its endpoint was disabled for a month.
    await deliver({ at: minutes(1440), status: 'DELIVERED', durations: [1], late: 30 * 86_400_000 })
    const days = await stats({ from: minutes(0), to: minutes(999 * 1440), bucket: 'DAY' })
    expect(days[1]).toMatchObject({ sent: 1, latencyP50Ms: 2 ** 31 - 1 })
    expect(days).toHaveLength(1000)
    expect([days[0], days[999]]).toMatchObject([{ sent: 1 }, { start: '2028-11-24T00:00:00.000Z', sent: 1 }])
  })

  test('of one endpoint, of one’s own workspace, and for an agent of its own', async () => {
    const install = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/stats' }
    const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
    await deliver({ at: minutes(0), status: 'DELIVERED', durations: [1] })
    await deliver({ at: minutes(0), status: 'FAILED', durations: [1], endpoint: agent.webhookEndpoint.id })
    const span = { from: minutes(0), to: minutes(1), bucket: 'HOUR' }
    const sent = async (variables: object, key?: string) => {
      const [only] = await stats({ ...span, ...variables }, key)
      return [only.sent, only.failed]
    }
    expect(await sent({})).toEqual([2, 1])
    expect(await sent({ endpointId })).toEqual([1, 0])
    expect(await sent({}, agent.credentials.apiKey)).toEqual([1, 1])
    expect(await sent({ endpointId }, agent.credentials.apiKey)).toEqual([0, 0])
    expect(await sent({ endpointId }, guddesk.tenant.key)).toEqual([0, 0])
    expect(await sent({ endpointId: 'x' })).toEqual([0, 0])
  })

  test('is bounded, and says so', async () => {
    const codes = async (variables: object) => {
      const { body } = await guddesk.graphql(STATS, variables, { key: tenant.key })
      return body.errors?.[0].extensions
    }
    const whole = { from: minutes(0), bucket: 'MINUTE' }
    expect(await stats({ ...whole, to: minutes(1000) })).toHaveLength(1000)
    expect(await codes({ ...whole, to: minutes(1001) })).toMatchObject({
      fields: [{ path: ['bucket'], message: expect.stringContaining('1001 buckets, more than the maximum of 1000') }],
    })
    const centuries = { from: '0001-01-01T00:00:00Z', to: '9999-01-01T00:00:00Z', bucket: 'MINUTE' }
    expect(await codes(centuries)).toMatchObject({ fields: [{ path: ['bucket'] }] })
    expect(await codes({ ...whole, to: minutes(0) })).toMatchObject({ fields: [{ path: ['to'] }] })
    expect(await codes({ ...whole, to: minutes(-1) })).toMatchObject({ fields: [{ path: ['to'] }] })
    expect(await codes({ ...whole, to: minutes(1), endpointId: '\u0000' })).toMatchObject({
      fields: [{ path: ['endpointId'] }],
    })
  })

  test('is one statement', async () => {
    const span = { from: minutes(0), to: minutes(600), bucket: 'MINUTE' }
    const statements = await statementsOf(guddesk, () => stats(span))
    expect(statements.filter((sql) => sql.includes('deliveries'))).toHaveLength(1)
  })
})
