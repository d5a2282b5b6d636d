import { beforeEach, describe, expect, test } from 'vitest'
import { drainRemovals } from '../../../src/domain/maintenance/drain-removals.ts'
import { newId } from '../../../src/domain/shared/ids.ts'
import { ok } from '../../rest/objects.ts'
import { graphql } from '../../support/graphql.ts'
import type { Tenant } from '../../support/guddesk.ts'
import { makeConversations, makeDeliveries } from '../../support/heavy/heavy-rows.ts'
import { until } from '../../support/until.ts'
import { CONVERSATIONS, call, count, guddesk, register, tenant, useTenant } from './drain-steps.ts'

useTenant()

const REMOVE = graphql(`mutation ($input: RemoveMemberInput!) { removeMember(input: $input) {
  deletedId error { code message }
} }`)
const INBOX = graphql(`query ($memberId: ID!) {
  inboxCounts { mine unassigned open }
  unassigned: conversations(filter: { assignee: { none: true } }, first: 1) { totalCount edges { node { id assignee { id } } } }
  theirs: conversations(filter: { assignee: { memberId: $memberId } }) { totalCount }
}`)

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
