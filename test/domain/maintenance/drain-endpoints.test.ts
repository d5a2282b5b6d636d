import { describe, expect, test } from 'vitest'
import { drainRemovals } from '../../../src/domain/maintenance/drain-removals.ts'
import { nextUrl, ok } from '../../rest/objects.ts'
import { graphql } from '../../support/graphql.ts'
import { makeDeliveries } from '../../support/heavy/heavy-rows.ts'
import { call, count, guddesk, register, tenant, useTenant } from './drain-steps.ts'

useTenant()

const DELIVERIES = 20_000

const DELIVERIES_OF = graphql(`query ($id: ID!) {
  deliveries { totalCount edges { node { id endpoint { id } } } }
  node(id: $id) { id }
  dispatchState { pending }
}`)
const REPLAY = graphql(`mutation ($input: ReplayDeliveryInput!) { replayDelivery(input: $input) {
  error { code }
} }`)

describe('an endpoint with many deliveries', { timeout: 120_000 }, () => {
  const shown = (id: string) => guddesk.query(DELIVERIES_OF, { id }, { key: tenant.key })

  test('is gone from the answer on, its URL is free; its deliveries follow in batches, and its events stay', async () => {
    const url = nextUrl()
    const endpoint = await register(url)
    await makeDeliveries(guddesk.deps.db, { ...tenant, endpointId: endpoint.id }, DELIVERIES)
    const kept = await register()
    await makeDeliveries(guddesk.deps.db, { ...tenant, endpointId: kept.id }, 3)
    const before = await shown(kept.id)
    expect(before.deliveries.totalCount).toBe(DELIVERIES + 3)
    const [one] = await guddesk.deps.db.sql<{ id: string }>(
      `SELECT id FROM deliveries WHERE endpoint_id = $1 AND status = 'FAILED' LIMIT 1`,
      [endpoint.id],
    )
    expect((await call('DELETE', '/api/agent/webhooks', { endpointId: endpoint.id, forget: true })).status).toBe(200)
    // The request has touched none of them.
    expect(await count('deliveries', 'endpoint_id = $1', endpoint.id)).toBe(DELIVERIES)
    const after = await shown(one?.id ?? '')
    expect([after.deliveries.totalCount, after.node, after.dispatchState.pending]).toEqual([3, null, 1])
    expect(after.deliveries.edges.map(({ node }) => node.endpoint.id)).toEqual([kept.id, kept.id, kept.id])
    const { replayDelivery } = await guddesk.query(
      REPLAY,
      { input: { deliveryId: one?.id ?? '' } },
      { key: tenant.key },
    )
    expect(replayDelivery).toMatchObject({ error: { code: 'NOT_FOUND' } })
    const { data: again } = await call('POST', '/api/agent/webhooks', { url })
    expect(again.status).toBe('created')
    expect(again.endpoint.id).not.toBe(endpoint.id)

    expect(await drainRemovals(guddesk.deps)).toBe(DELIVERIES)
    expect(await count('deliveries', 'workspace_id = $1', tenant.workspaceId)).toBe(3)
    expect(
      await count('delivery_attempts', 'delivery_id IN (SELECT id FROM deliveries WHERE endpoint_id = $1)', kept.id),
    ).toBe(1)
    expect(await count('delivery_attempts', 'true')).toBe(1)
    expect(await count('events', 'workspace_id = $1', tenant.workspaceId)).toBe(DELIVERIES + 3)
    expect(await count('removals', 'true')).toBe(0)
  })

  test('goes with its agent, and however else its row goes', async () => {
    const { data: agent } = await ok(call('POST', '/api/v1/agents', { name: 'A', webhookUrl: nextUrl() }))
    const [endpoint] = await guddesk.deps.db.prisma.webhookEndpoint.findMany({ where: { agentId: agent.id } })
    await makeDeliveries(guddesk.deps.db, { ...tenant, endpointId: endpoint?.id ?? '' }, 1000)
    const other = await register()
    await makeDeliveries(guddesk.deps.db, { ...tenant, endpointId: other.id }, 1000)
    await ok(call('DELETE', `/api/v1/agents/${agent.id}`))
    await guddesk.deps.db.sql('DELETE FROM webhook_endpoints WHERE id = $1', [other.id])
    expect((await shown(agent.id)).deliveries.totalCount).toBe(0)
    expect(await drainRemovals(guddesk.deps)).toBe(2000)
  })
})

describe('each batch reads what it removes, however much there is', { timeout: 120_000 }, () => {
  /** Rows of deliveries and events that were read, by indexes or otherwise. Connections count theirs about once a second. */
  async function rowsRead(): Promise<number> {
    const [row] = await guddesk.deps.db.sql<{ n: number }>(
      `SELECT (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname IN ('deliveries', 'events'))::int
            + (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname IN ('deliveries', 'events'))::int AS n`,
    )
    return row?.n ?? 0
  }

  test.each([
    ['an endpoint', async (id: string) => ok(call('DELETE', '/api/agent/webhooks', { endpointId: id, forget: true }))],
    ['a workspace', async () => ok(call('DELETE', `/api/v1/workspaces/${tenant.workspaceId}`))],
  ])('of %s', async (_what, remove) => {
    const endpoint = await register()
    await makeDeliveries(guddesk.deps.db, { ...tenant, endpointId: endpoint.id }, DELIVERIES)
    await remove(endpoint.id)
    const before = await rowsRead()
    const drained = await drainRemovals(guddesk.deps)
    expect(drained).toBeGreaterThanOrEqual(DELIVERIES)
    expect((await rowsRead()) - before).toBeLessThan(5 * drained)
  })
})
