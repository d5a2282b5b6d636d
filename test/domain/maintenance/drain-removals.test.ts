import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { authenticateKey } from '../../../src/auth/api-key.ts'
import { updateWorkspace } from '../../../src/domain/identity/workspaces.ts'
import { drainRemovals } from '../../../src/domain/maintenance/drain-removals.ts'
import { newId } from '../../../src/domain/shared/ids.ts'
import { nextUrl, ok } from '../../rest/objects.ts'
import { graphql, payload } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { makeConversations, makeDeliveries } from '../../support/heavy/heavy-rows.ts'
import { until } from '../../support/until.ts'

// Without the role that drains: what a request leaves behind stays until a test drains it.
let guddesk: TestGudDesk
let tenant: Tenant

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})
afterAll(() => guddesk?.stop())
beforeEach(async () => {
  tenant = await guddesk.newTenant()
})

const CONVERSATIONS = 1200
const DELIVERIES = 20_000

const call = (method: string, path: string, body?: unknown, key = tenant.key) =>
  guddesk.call(method, path, body, { key })

const register = async (url = nextUrl()): Promise<{ id: string }> =>
  (await ok(call('POST', '/api/agent/webhooks', { url }))).data.endpoint

const count = async (table: string, condition: string, ...params: unknown[]) => {
  const [row] = await guddesk.deps.db.sql<{ n: number }>(
    `SELECT count(*)::int AS n FROM ${table} WHERE ${condition}`,
    params,
  )
  return row?.n
}

const REMOVE = graphql(`mutation ($input: RemoveMemberInput!) { removeMember(input: $input) {
  deletedId error { code message }
} }`)
const INBOX = graphql(`query ($memberId: ID!) {
  inboxCounts { mine unassigned open }
  unassigned: conversations(filter: { assignee: { none: true } }, first: 1) { totalCount edges { node { id assignee { id } } } }
  theirs: conversations(filter: { assignee: { memberId: $memberId } }) { totalCount }
}`)
const DELIVERIES_OF = graphql(`query ($id: ID!) {
  deliveries { totalCount edges { node { id endpoint { id } } } }
  node(id: $id) { id }
  dispatchState { pending }
}`)
const REPLAY = graphql(`mutation ($input: ReplayDeliveryInput!) { replayDelivery(input: $input) {
  error { code }
} }`)
const NEW_WORKSPACE = graphql(`mutation ($input: CreateWorkspaceInput!) { createWorkspace(input: $input) {
  workspace { id slug } error { code message }
} }`)

describe('a member with many conversations', { timeout: 120_000 }, () => {
  let leaver: Tenant
  let conversationIds: string[]

  beforeEach(async () => {
    const { memberId, userId } = await guddesk.newMember(tenant, 'Lea Leaver')
    leaver = { ...tenant, memberId, userId }
    leaver = { ...leaver, key: await guddesk.newKey(leaver, 'READ_WRITE') }
    const visitorId = await guddesk.newVisitor(tenant)
    await makeConversations(guddesk.deps.db, { ...leaver, visitorId }, CONVERSATIONS)
    const rows = await guddesk.deps.db.sql<{ id: string }>('SELECT id FROM conversations WHERE assignee_id = $1', [
      memberId,
    ])
    conversationIds = rows.map(({ id }) => id)
  })

  const remove = () => guddesk.query(REMOVE, { input: { memberId: leaver.memberId } }, { key: tenant.key })
  const inbox = (memberId: string) => guddesk.query(INBOX, { memberId }, { key: tenant.key })
  const stillNamed = () => count('conversations', 'assignee_id = $1', leaver.memberId)

  test('is nobody’s assignee and has no access from the answer on; the rest follows in batches, with its events', async () => {
    expect((await inbox(leaver.memberId)).theirs.totalCount).toBe(CONVERSATIONS)
    await remove()
    expect(await stillNamed()).toBe(CONVERSATIONS)
    expect((await call('GET', '/api/v1/conversations', undefined, leaver.key)).status).toBe(401)
    const seen = await inbox(leaver.memberId)
    expect(seen.inboxCounts).toEqual({ mine: 0, unassigned: CONVERSATIONS, open: CONVERSATIONS })
    expect([seen.unassigned.totalCount, seen.theirs.totalCount]).toEqual([CONVERSATIONS, 0])
    expect(seen.unassigned.edges[0]?.node.assignee).toBeNull()
    const [id = ''] = conversationIds
    const { data } = await call('GET', `/api/v1/conversations/${id}`)
    expect([data.assigneeId, data.assignee]).toEqual([null, null])
    const listed = await call('GET', '/api/v1/conversations?assigneeId=none&limit=1')
    expect([listed.body.meta.total, listed.data[0].assigneeId]).toEqual([CONVERSATIONS, null])
    const { data: customer } = await call('GET', `/api/v1/customers/${data.visitor.id}`)
    expect(customer.conversations[0].assigneeId).toBeNull()
    // Agents answer where no person is assigned.
    const replied = await call('POST', '/api/agent/reply', { conversationId: id, body: 'I am here' })
    expect(replied.data.skipped).toBeFalsy()
    const { data: closed } = await call('PATCH', `/api/v1/conversations/${id}`, { status: 'CLOSED', assigneeId: null })
    expect([closed.status, closed.assigneeId]).toEqual(['CLOSED', null])

    await drainRemovals(guddesk.deps)
    expect(await stillNamed()).toBe(0)
    expect(await count('conversation_reads', 'member_id = $1', leaver.memberId)).toBe(0)
    expect(await count('removals', 'true')).toBe(0)
    const events = await guddesk.deps.db.sql<{ conversation_id: string; body: string }>(
      `SELECT conversation_id, body FROM events WHERE workspace_id = $1 AND type = 'conversation.updated' ORDER BY xid, seq`,
      [tenant.workspaceId],
    )
    expect(events).toHaveLength(CONVERSATIONS + 1)
    const bodies = events.filter(({ conversation_id }) => conversation_id === id).map(({ body }) => JSON.parse(body))
    expect(bodies.map(({ data }) => data.changed)).toEqual([['status', 'closedAt'], ['assigneeId']])
    expect(bodies[1].data.actor).toMatchObject({ type: 'api_key' })
  })

  test('who comes back meanwhile has none of them, and keeps those that they are given', async () => {
    await remove()
    const memberId = newId('member')
    const { workspaceId, userId } = leaver
    await guddesk.deps.db.prisma.member.create({ data: { id: memberId, workspaceId, userId, role: 'AGENT' } })
    expect((await inbox(memberId)).theirs.totalCount).toBe(0)
    const [mine = '', another = ''] = conversationIds
    await ok(call('PATCH', `/api/v1/conversations/${mine}`, { assigneeId: memberId }))
    await ok(call('PATCH', `/api/v1/conversations/${another}`, { assigneeId: tenant.memberId }))
    await drainRemovals(guddesk.deps)
    expect((await inbox(memberId)).theirs.totalCount).toBe(1)
    expect((await inbox(tenant.memberId)).inboxCounts).toMatchObject({ mine: 1, unassigned: CONVERSATIONS - 2 })
    const { error } = await call('PATCH', `/api/v1/conversations/${mine}`, { assigneeId: leaver.memberId })
    expect(error.code).toBe('bad_request')
  })

  test('a drain that ends in the middle goes on, and two nodes drain each conversation once', async () => {
    await remove()
    const ending = new AbortController()
    const some = drainRemovals(guddesk.deps, ending.signal)
    await until(async () => (await stillNamed()) !== CONVERSATIONS)
    ending.abort()
    const drained = await some
    expect(drained).toBeLessThan(CONVERSATIONS)
    expect(await stillNamed()).toBe(CONVERSATIONS - drained)
    await Promise.all([drainRemovals(guddesk.deps), drainRemovals(guddesk.deps)])
    await drainRemovals(guddesk.deps)
    expect(await count('events', `workspace_id = $1 AND type = 'conversation.updated'`, tenant.workspaceId)).toBe(
      CONVERSATIONS,
    )
  })
})

test('what cannot be drained keeps nothing else waiting, and is said', async () => {
  const { db } = guddesk.deps
  const first = await register()
  const second = await register()
  for (const { id } of [first, second]) await makeDeliveries(db, { ...tenant, endpointId: id }, 10)
  await db.sql(
    `CREATE FUNCTION refuse_test() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'; END $$`,
  )
  await db.sql(`CREATE TRIGGER refuse_test BEFORE DELETE ON deliveries FOR EACH ROW
    WHEN (OLD.endpoint_id = '${first.id}') EXECUTE FUNCTION refuse_test()`)
  for (const { id } of [first, second])
    await ok(call('DELETE', '/api/agent/webhooks', { endpointId: id, forget: true }))
  await expect(drainRemovals(guddesk.deps)).rejects.toThrow('not this one')
  expect(await count('deliveries', 'workspace_id = $1', tenant.workspaceId)).toBe(10)
  await db.sql('DROP FUNCTION refuse_test CASCADE')
  expect(await drainRemovals(guddesk.deps)).toBe(10)
})

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

describe('a workspace with many conversations and deliveries', { timeout: 120_000 }, () => {
  async function fill(): Promise<void> {
    const visitorId = await guddesk.newVisitor(tenant)
    await makeConversations(guddesk.deps.db, { ...tenant, visitorId }, CONVERSATIONS)
    const endpoint = await register()
    await makeDeliveries(guddesk.deps.db, { ...tenant, endpointId: endpoint.id }, CONVERSATIONS)
    await ok(call('POST', '/api/v1/articles', { title: 'Article' }))
  }

  const remove = () => call('DELETE', `/api/v1/workspaces/${tenant.workspaceId}`)

  test('is closed from the answer on, and its slug free; then nothing is left of it', async () => {
    await fill()
    const everywhere = await guddesk.newKey(tenant, 'FULL_ACCESS', 'all')
    const slug = `gone-${tenant.workspaceId.slice(-8)}`
    await ok(call('PATCH', `/api/v1/workspaces/${tenant.workspaceId}`, { slug }))
    expect((await remove()).status).toBe(200)
    expect((await call('GET', '/api/v1/conversations')).status).toBe(401)
    expect((await call('GET', '/api/v1/workspaces', undefined, everywhere)).data).toEqual([])
    expect((await call('GET', `/api/v1/workspaces/${tenant.workspaceId}`, undefined, everywhere)).status).toBe(404)
    const created = await guddesk.query(NEW_WORKSPACE, { input: { name: 'Again', slug } }, { key: everywhere })
    expect(payload(created.createWorkspace).workspace.slug).toBe(slug)
    expect(await count('conversations', 'workspace_id = $1', tenant.workspaceId)).toBe(CONVERSATIONS)

    await drainRemovals(guddesk.deps)
    const tables = await guddesk.deps.db.sql<{ table: string }>(
      `SELECT table_name AS table FROM information_schema.columns
        WHERE column_name = 'workspace_id' AND table_schema = 'public'`,
    )
    expect(tables.length).toBeGreaterThan(12)
    for (const { table } of tables) {
      expect([table, await count(table, 'workspace_id = $1', tenant.workspaceId)]).toEqual([table, 0])
    }
    expect(await count('workspaces', 'id = $1', tenant.workspaceId)).toBe(0)
    expect(await count('audit_entries', `action = 'workspace.deleted' AND target_id = $1`, tenant.workspaceId)).toBe(1)
  })

  test('takes no slug any more, whoever was let in before', async () => {
    const deps = guddesk.deps
    const actor = await (await authenticateKey(deps, tenant.key)).actorIn(undefined)
    expect((await remove()).status).toBe(200)
    const slug = `late-${tenant.workspaceId.slice(-8)}`
    await expect(updateWorkspace(deps, actor, { slug })).rejects.toMatchObject({ code: 'not_found' })
    expect(await count('workspaces', 'slug = $1', slug)).toBe(0)
    await drainRemovals(deps)
  })

  test('nobody gets into it meanwhile, and no other workspace’s audit log can be deleted', async () => {
    expect((await remove()).status).toBe(200)
    const { prisma } = guddesk.deps.db
    const { workspaceId, userId } = tenant
    const refused = { code: 'P2003' }
    const member = { id: newId('member'), workspaceId, userId, role: 'OWNER' as const }
    await expect(prisma.member.create({ data: member })).rejects.toMatchObject(refused)
    const key = { id: newId('apiKey'), workspaceId, userId, name: 'k', prefix: 'gd_12345', hash: newId('apiKey') }
    await expect(prisma.apiKey.create({ data: { ...key, permission: 'FULL_ACCESS' } })).rejects.toMatchObject(refused)
    const other = await guddesk.newTenant()
    await ok(call('PATCH', `/api/v1/workspaces/${other.workspaceId}`, { name: 'Other' }, other.key))
    const deleting = guddesk.deps.db.sql('DELETE FROM audit_entries WHERE workspace_id = $1', [other.workspaceId])
    await expect(deleting).rejects.toThrow('append-only')
    await drainRemovals(guddesk.deps)
  })
})
