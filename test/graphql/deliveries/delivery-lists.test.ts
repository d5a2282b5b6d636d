import { describe, expect, test } from 'vitest'
import { quiet } from '../../support/event-log.ts'
import { graphql } from '../../support/graphql.ts'
import { ask, deliver, guddesk, tenant, useEndpoint } from './stats-steps.ts'

useEndpoint()

describe('deliveries', () => {
  const LIST = graphql(`query ($filter: DeliveryFilter) { deliveries(filter: $filter) { totalCount edges { node {
    id durationMs lastStatusCode conversation { id } event { id type conversation { id } } } } } }`)

  async function found(filter: object, key?: string): Promise<string[]> {
    const { deliveries } = await ask(LIST, { filter }, key)
    const ids = deliveries.edges.map(({ node }: { node: { id: string } }) => node.id)
    expect(ids).toHaveLength(deliveries.totalCount)
    return ids
  }

  test('are found by several states and kinds, and by agent', async () => {
    const install = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/list' }
    const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
    const own = agent.webhookEndpoint.id
    const at = guddesk.clock.now()
    const a = await deliver({ at, status: 'FAILED', durations: [1], type: 'conversation.closed' })
    const b = await deliver({ at, status: 'DELIVERED', durations: [1], endpoint: own })
    const c = await deliver({ at, status: 'PENDING', endpoint: own, type: 'conversation.closed' })
    const is = async (filter: object, ids: string[], key?: string) =>
      expect((await found(filter, key)).sort()).toEqual([...ids].sort())
    await is({}, [a, b, c])
    await is({ statuses: ['FAILED', 'PENDING'] }, [a, c])
    await is({ statuses: 'DELIVERED' }, [b])
    await is({ agentId: agent.id }, [b, c])
    await is({ agentId: agent.id, statuses: ['FAILED', 'PENDING'] }, [c])
    await is({ eventTypes: ['CONVERSATION_CLOSED'] }, [a, c])
    await is({ eventTypes: ['CONVERSATION_CLOSED', 'MESSAGE_CREATED'], endpointId: own }, [b, c])
    await is({ agentId: 'agt_00000000000000000000000000' }, [])
    // An agent's key sees its own, whatever it asks for.
    const { apiKey } = agent.credentials
    await is({}, [b, c], apiKey)
    const { data: next } = await guddesk.call(
      'POST',
      '/api/v1/agents',
      { ...install, webhookUrl: `${install.webhookUrl}/2` },
      { key: tenant.key },
    )
    await is({ agentId: agent.id }, [], next.credentials.apiKey)
  })

  test('say what came of the last attempt, and lead to event and conversation', async () => {
    const at = guddesk.clock.now()
    const conversationId = await guddesk.newConversation(tenant)
    await guddesk.deps.db.prisma.delivery.deleteMany({ where: { workspaceId: tenant.workspaceId } })
    await deliver({ at, status: 'DELIVERED', durations: [30, 20], statusCode: 204, conversationId })
    await deliver({ at, status: 'FAILED', durations: [5], statusCode: null, conversationId: 'conv_gone' })
    await deliver({ at, status: 'PENDING' })
    const { deliveries } = await ask(LIST)
    const nodes = deliveries.edges.map(({ node: { id: _, ...rest } }: { node: { id: string } }) => rest)
    const event = { id: expect.stringMatching(/^evt_/), type: 'MESSAGE_CREATED' }
    const conversation = { id: conversationId }
    expect(nodes).toEqual(
      expect.arrayContaining([
        { durationMs: 20, lastStatusCode: 204, conversation, event: { ...event, conversation } },
        { durationMs: 5, lastStatusCode: null, conversation: null, event: { ...event, conversation: null } },
        { durationMs: null, lastStatusCode: null, conversation: null, event: { ...event, conversation: null } },
      ]),
    )
  })
})

describe('Conversation.events', () => {
  test('are the conversation’s own, oldest first, in pages both ways', async () => {
    const id = await guddesk.newConversation(tenant, 'one')
    await guddesk.newConversation(tenant, 'another')
    await guddesk.call('PATCH', `/api/v1/conversations/${id}`, { status: 'CLOSED' }, { key: tenant.key })
    await quiet(guddesk)
    const query =
      graphql(`query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { conversation(id: $id) {
      events(first: $first, after: $after, last: $last, before: $before) { totalCount
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { node { type conversation { id } } } } } }`)
    const types = async (page: object) => {
      const { conversation } = await ask(query, { id, ...page })
      const { edges, totalCount, pageInfo } = conversation.events
      expect(totalCount).toBe(4)
      for (const { node } of edges) expect(node.conversation).toEqual({ id })
      return { pageInfo, types: edges.map(({ node }: { node: { type: string } }) => node.type) }
    }
    const whole = ['CONVERSATION_CREATED', 'MESSAGE_CREATED', 'CONVERSATION_UPDATED', 'CONVERSATION_CLOSED']
    expect((await types({})).types).toEqual(whole)
    const first = await types({ first: 3 })
    expect(first).toMatchObject({ types: whole.slice(0, 3), pageInfo: { hasNextPage: true, hasPreviousPage: false } })
    const rest = await types({ first: 3, after: first.pageInfo.endCursor })
    expect(rest).toMatchObject({ types: whole.slice(3), pageInfo: { hasNextPage: false, hasPreviousPage: true } })
    const back = await types({ last: 2, before: rest.pageInfo.startCursor })
    expect(back).toMatchObject({ types: whole.slice(1, 3), pageInfo: { hasNextPage: true, hasPreviousPage: true } })
  })
})
