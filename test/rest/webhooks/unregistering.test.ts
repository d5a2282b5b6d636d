import { describe, expect, test } from 'vitest'
import { MAX_UNREGISTERED_PER_WORKSPACE } from '../../../src/domain/webhooks/unregistered-endpoints.ts'
import { startGudDesk } from '../../support/guddesk.ts'
import { answer, startReceiver } from '../../support/receiver.ts'
import { nextUrl, ok } from '../objects.ts'
import {
  anAgent,
  DAY,
  guddesk,
  HOUR,
  MINUTE,
  PATH,
  receiver,
  register,
  remove,
  row,
  SECOND,
  settled,
  urls,
  useReceiver,
} from './unregistering-steps.ts'

useReceiver()

describe('unregistering', () => {
  test('is gone on every transport, and a second time is 404', async () => {
    const { key, agentId } = await anAgent(receiver.url)
    const { data } = await register({ url: receiver.url }, { key })
    const { id } = data.endpoint
    guddesk.clock.advance(11 * MINUTE)
    await guddesk.newConversation(guddesk.tenant, 'Before')
    await settled(id)
    const answered = await remove({ url: receiver.url }, { key })
    expect([answered.status, answered.data]).toEqual([200, { deleted: true }])
    for (const call of [{}, { key }]) {
      expect(await urls(call)).not.toContain(receiver.url)
      expect((await guddesk.call('GET', `/api/v1/agents/${agentId}`, undefined, call)).data.webhookEndpoint).toBeNull()
      const listed = await guddesk.call('GET', '/api/v1/agents', undefined, call)
      expect(listed.data.find((agent: { id: string }) => agent.id === agentId).webhookEndpoint).toBeNull()
      const { body } = await guddesk.graphql(
        `query ($id: ID!, $agentId: ID!) {
          node(id: $id) { id }
          nodes(ids: [$id]) { id }
          agent: node(id: $agentId) { ... on Agent { successRate24h webhookEndpoints { edges { node { id } } } } }
          webhookEndpoints(first: 100) { edges { node { id } } }
          deliveries(first: 100, filter: { endpointId: $id }) { totalCount edges { node { id } } }
          dispatchState { pending }
          slowestEndpoints(from: "2020-01-01T00:00:00Z", to: "2100-01-01T00:00:00Z") { endpoint { id } }
        }`,
        { id, agentId },
        call,
      )
      expect(body.errors).toBeUndefined()
      expect(body.data).toMatchObject({
        node: null,
        nodes: [null],
        agent: { successRate24h: null, webhookEndpoints: { edges: [] } },
      })
      expect(body.data.deliveries).toEqual({ totalCount: 0, edges: [] })
      expect(JSON.stringify(body.data)).not.toContain(id)
      for (const ref of [{ url: receiver.url }, { endpointId: id }]) expect((await remove(ref, call)).status).toBe(404)
      const { body: mutated } = await guddesk.graphql(
        `mutation ($id: ID!) {
          a: updateWebhookEndpoint(input: { endpointId: $id, isEnabled: true }) { error { code } }
          b: enableWebhookEndpoint(input: { endpointId: $id }) { error { code } }
          c: rotateWebhookSecret(input: { endpointId: $id }) { error { code } }
          d: sendTestEvent(input: { endpointId: $id, type: PING }) { error { code } }
          e: replayFailedDeliveries(input: { endpointId: $id, since: "2020-01-01T00:00:00Z" }) { error { code } }
          f: endWebhookSecretOverlap(input: { endpointId: $id }) { error { code } }
        }`,
        { id },
        call,
      )
      expect(
        new Set(Object.values(mutated.data).map((one) => (one as { error: { code: string } }).error.code)),
      ).toEqual(new Set(['NOT_FOUND']))
    }
    const { error } = await guddesk.call('PATCH', `/api/v1/agents/${agentId}`, { webhookUrl: nextUrl() })
    expect(error.code).toBe('conflict')
    const enabled = await guddesk.call('PATCH', `/api/v1/agents/${agentId}`, { isEnabled: true })
    expect(enabled.data.webhookEndpoint).toBeNull()
  })

  test('nothing is sent, not even a retry that was due or a test that waited', async () => {
    receiver.behave(answer(500))
    const { data } = await register({ url: receiver.url })
    const { id } = data.endpoint
    await guddesk.newConversation(guddesk.tenant, 'Failing')
    await receiver.waitFor(2)
    await ok(remove({ endpointId: id }))
    const before = receiver.received.length
    await guddesk.newConversation(guddesk.tenant, 'Meanwhile')
    guddesk.advance(5 * HOUR)
    // Another endpoint gets what happens after it.
    const other = await startReceiver()
    await ok(register({ url: other.url }))
    await guddesk.newConversation(guddesk.tenant, 'After')
    await other.waitFor(2)
    expect(receiver.received).toHaveLength(before)
    await other.close()
  })

  test('it does not count among the workspace’s endpoints', async () => {
    const limited = await startGudDesk({ env: { WEBHOOK_ENDPOINTS_PER_WORKSPACE: '1' } })
    const at = (url: string) => limited.call('POST', PATH, { url })
    const [one, two] = [nextUrl(), nextUrl()]
    await ok(at(one))
    expect((await at(two)).status).toBe(409)
    await ok(limited.call('DELETE', PATH, { url: one }))
    expect((await at(two)).status).toBe(201)
    expect((await at(one)).status).toBe(409)
    await ok(limited.call('DELETE', PATH, { url: two }))
    expect((await at(one)).data).toMatchObject({ status: 'exists', resumed: true })
    await limited.stop()
  })

  test('only so many are kept: the ones that were unregistered first give way', async () => {
    const tenant = await guddesk.newTenant()
    const { key } = tenant
    const first = nextUrl()
    const { id } = (await register({ url: first }, { key })).data.endpoint
    const secondly = nextUrl()
    await ok(register({ url: secondly }, { key }))
    await ok(remove({ url: first }, { key }))
    guddesk.clock.advance(SECOND)
    await ok(remove({ url: secondly }, { key }))
    const at = guddesk.clock.now()
    const { workspaceId } = tenant
    const rows = Array.from({ length: MAX_UNREGISTERED_PER_WORKSPACE - 2 }, (_, i) => ({
      ...{ id: `whk_kept${i}`, workspaceId, url: nextUrl(), sealedSecret: 'x', isEnabled: false },
      ...{ unregisteredAt: at, keptUntil: new Date(at.getTime() + DAY) },
    }))
    await guddesk.deps.db.prisma.webhookEndpoint.createMany({ data: rows })
    const last = nextUrl()
    await ok(register({ url: last }, { key }))
    await ok(remove({ url: last }, { key }))
    expect(await row(id)).toBeNull()
    const removed = { targetId: id, action: 'webhook_endpoint.deleted', actorType: 'system', workspaceId }
    expect(await guddesk.deps.db.prisma.auditEntry.count({ where: removed })).toBe(1)
    expect((await register({ url: first }, { key })).data.status).toBe('created')
    expect((await register({ url: secondly }, { key })).data).toMatchObject({ status: 'exists', resumed: true })
  })
})
