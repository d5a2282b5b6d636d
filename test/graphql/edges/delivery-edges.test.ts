import { beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { installAgent, nextUrl, ok } from '../../rest/objects.ts'
import { graphql, present } from '../../support/graphql.ts'
import { guddesk, mine, post, say, useObjects, walk } from './edges-steps.ts'

useObjects()

const reply = (conversationId: string, key: string) => post('/api/agent/reply', { conversationId, body: 'Hi' }, key)

describe('deliveries', () => {
  const idsOf = async (where: object) => {
    const rows = await guddesk.deps.db.prisma.delivery.findMany({
      where,
      orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    })
    return rows.map(({ id }) => id)
  }
  let conversationId: string
  let neighbour: Awaited<ReturnType<typeof installAgent>>

  beforeAll(async () => {
    neighbour = await installAgent(guddesk)
    conversationId = await guddesk.newConversation(guddesk.tenant, 'Hello')
    for (let i = 0; i < 5; i++) {
      if (i % 2 === 0) guddesk.clock.advance(5)
      await say(conversationId)
    }
  })

  test('of a conversation and of an endpoint, newest first, in pages', async () => {
    const ofConversation = await idsOf({ conversationId })
    expect(ofConversation.length).toBeGreaterThan(10)
    expect(await walk(conversationId, 'Conversation', 'deliveries', 3)).toEqual(ofConversation)
    const { endpointId } = mine
    expect(await walk(endpointId, 'WebhookEndpoint', 'deliveries', 3)).toEqual(await idsOf({ endpointId }))
  })

  test('of an event are one for each endpoint', async () => {
    const event = await guddesk.deps.db.prisma.event.findFirstOrThrow({
      where: { conversationId, type: 'message.created' },
    })
    const ids = await idsOf({ eventId: event.id })
    expect(ids.length).toBe(3)
    expect(await walk(event.id, 'Event', 'deliveries', 2)).toEqual(ids)
  })

  test('an agent sees its own only', async () => {
    const key = present(neighbour.as.key)
    const own = { endpoint: { agent: { id: neighbour.id } } }
    const seen = await walk(conversationId, 'Conversation', 'deliveries', 4, key)
    expect(seen.length).toBeGreaterThan(4)
    expect(seen).toEqual(await idsOf({ conversationId, ...own }))
    const event = await guddesk.deps.db.prisma.event.findFirstOrThrow({ where: { conversationId } })
    expect(await walk(event.id, 'Event', 'deliveries', 4, key)).toEqual(await idsOf({ eventId: event.id, ...own }))
  })

  test('to an endpoint that is unregistered or gone are none', async () => {
    const doomed = [nextUrl(), nextUrl()]
    const ids: string[] = []
    for (const url of doomed) ids.push((await post('/api/agent/webhooks', { url })).data.endpoint.id)
    const id = await guddesk.newConversation(guddesk.tenant, 'Hello')
    const before = await walk(id, 'Conversation', 'deliveries', 50)
    await ok(guddesk.call('DELETE', '/api/agent/webhooks', { url: doomed[0] }))
    await ok(guddesk.call('DELETE', '/api/agent/webhooks', { url: doomed[1], forget: true }))
    const hidden = await idsOf({ conversationId: id, endpointId: { in: ids } })
    expect(hidden.length).toBeGreaterThan(1)
    expect(await walk(id, 'Conversation', 'deliveries', 50)).toEqual(before.filter((one) => !hidden.includes(one)))
  })

  test('show what they carry, and end a page where its bodies have enough bytes', async () => {
    const long = await guddesk.newConversation()
    const body = 'x'.repeat(19_000)
    for (let i = 0; i < 45; i++) await say(long, body)
    const query = graphql(`query ($id: ID!) { conversation(id: $id) { deliveries(first: 100) {
      pageInfo { hasNextPage } nodes { id body eventType event { id type } endpoint { id } conversation { id } } } } }`)
    const { conversation } = await guddesk.query(query, { id: long })
    const { nodes, pageInfo } = present(present(conversation).deliveries)
    expect(pageInfo.hasNextPage).toBe(true)
    expect(nodes.length).toBeGreaterThan(10)
    expect(nodes.length).toBeLessThan(100)
    for (const delivery of nodes) {
      expect(JSON.stringify(JSON.parse(delivery.body))).toContain(body)
      expect(delivery).toMatchObject({ eventType: 'MESSAGE_CREATED', conversation: { id: long } })
    }
  })

  test('the attempts of one have ids of their own', async () => {
    const [deliveryId = ''] = await idsOf({ conversationId })
    const attempt = { deliveryId, startedAt: guddesk.clock.now(), durationMs: 1, statusCode: 500 }
    await guddesk.deps.db.prisma.deliveryAttempt.createMany({ data: [1, 2].map((number) => ({ ...attempt, number })) })
    const query = graphql(`query ($id: ID!) { node(id: $id) { ... on Delivery { attempts { id number } } } }`)
    const { node } = await guddesk.query(query, { id: deliveryId })
    expect(node).toEqual({ attempts: [1, 2].map((number) => ({ id: `${deliveryId}.${number}`, number })) })
  })
})

describe('the conversations of an agent', () => {
  const newest = async (ids: readonly string[]) => {
    const where = { id: { in: [...ids] } }
    const orderBy = [{ lastActivityAt: 'desc' }, { id: 'desc' }] as const
    return (await guddesk.deps.db.prisma.conversation.findMany({ where, orderBy: [...orderBy] })).map(({ id }) => id)
  }

  test('are those that it wrote in, each once, latest activity first', async () => {
    const agent = await installAgent(guddesk, 'Writer')
    const key = present(agent.as.key)
    const ids: string[] = []
    for (let i = 0; i < 5; i++) {
      guddesk.clock.advance(10)
      ids.push(await guddesk.newConversation(guddesk.tenant, 'Hello'))
    }
    const [replied = '', noted = '', foreign = ''] = ids
    expect(await walk(agent.id, 'Agent', 'conversations', 2)).toEqual([])
    await reply(replied, key)
    await reply(replied, key)
    await post(`/api/v1/conversations/${noted}/messages`, { body: 'Note', type: 'NOTE' }, key)
    await reply(foreign, present((await installAgent(guddesk, 'Another')).as.key))
    expect(await walk(agent.id, 'Agent', 'conversations', 1)).toEqual(await newest([replied, noted]))
    expect(await walk(agent.id, 'Agent', 'conversations', 1, key)).toEqual(await newest([replied, noted]))
    await guddesk.deps.db.prisma.conversation.delete({ where: { id: replied } })
    expect(await walk(agent.id, 'Agent', 'conversations', 1)).toEqual([noted])
  })

  test('of one that is in many are the same', async () => {
    const busy = await installAgent(guddesk, 'Busy')
    const { workspaceId } = guddesk.tenant
    const visitorId = await guddesk.newVisitor()
    const began = guddesk.clock.now().getTime()
    const ids = Array.from({ length: 520 }, () => newId('conversation'))
    const at = (i: number) => new Date(began + ((i * 7) % 520))
    const { conversation, message } = guddesk.deps.db.prisma
    await conversation.createMany({
      data: ids.map((id, i) => ({ id, workspaceId, visitorId, lastActivityAt: at(i), createdAt: at(i) })),
    })
    // The first ones are without it.
    const written = ids.slice(10)
    await message.createMany({
      data: written.map((conversationId) => ({
        id: newId('message'),
        workspaceId,
        conversationId,
        sequence: 1,
        type: 'BOT' as const,
        body: 'Hi',
        senderId: busy.id,
      })),
    })
    expect(await walk(busy.id, 'Agent', 'conversations', 100)).toEqual(await newest(written))
  })
})
