import { createHmac } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { graphql } from '../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../support/guddesk.ts'
import { answer, type Receiver, startReceiver } from '../support/receiver.ts'
import { quietPeriod, until } from '../support/until.ts'

let guddesk: TestGudDesk
let receiver: Receiver
let tenant: Tenant

beforeAll(async () => {
  guddesk = await startGudDesk()
})
afterAll(() => guddesk?.stop())
beforeEach(async () => {
  receiver = await startReceiver()
  tenant = await guddesk.newTenant()
})
afterEach(() => receiver.close())

const ALL = {
  onMessageCreated: true,
  onConversationCreated: true,
  onConversationClosed: true,
  onConversationAssigned: true,
}

async function register(events: Partial<typeof ALL> = ALL): Promise<{ id: string; secret: string }> {
  const body = { url: receiver.url, events }
  const { data } = await guddesk.call('POST', '/api/agent/webhooks', body, { key: tenant.key })
  return data.endpoint
}

/** The one delivery of the tenant's newest event of a type. */
async function deliveryOf(type: string) {
  return guddesk.deps.db.prisma.delivery.findFirstOrThrow({
    where: { workspaceId: tenant.workspaceId, event: { type } },
    orderBy: { seq: 'desc' },
    include: { attemptLog: { orderBy: { number: 'asc' } } },
  })
}

const finished = (type: string) => until(async () => (await deliveryOf(type)).due === null)
const attempted = (type: string, times: number) =>
  until(async () => {
    const { attempts } = await deliveryOf(type)
    return attempts === times
  })

describe('payloads', () => {
  test('a conversation with a first message: conversation.created, then message.created, key by key', async () => {
    await register()
    const visitorId = await guddesk.newVisitor(tenant, 'Vera')
    const body = { visitorId, subject: 'Refund', message: ' I want a refund ' }
    const { data: conversation } = await guddesk.call('POST', '/api/v1/conversations', body, { key: tenant.key })
    const [created, message] = await receiver.waitFor(2)
    const actor = { type: 'api_key', id: expect.stringMatching(/^key_/), name: 'FULL_ACCESS key' }
    const payload = JSON.parse(created?.text ?? '')
    expect(Object.keys(payload)).toEqual(['event', 'data', 'timestamp'])
    expect(payload.timestamp).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)
    expect(created?.event).toBe('conversation.created')
    expect(created?.data).toEqual({
      conversationId: conversation.id,
      visitorId,
      status: 'OPEN',
      firstMessage: 'I want a refund',
      createdAt: conversation.createdAt,
      workspaceId: tenant.workspaceId,
      channel: 'API',
      subject: 'Refund',
      actor,
    })
    expect(message?.event).toBe('message.created')
    expect(message?.data).toEqual({
      conversationId: conversation.id,
      messageId: expect.stringMatching(/^msg_/),
      type: 'VISITOR',
      body: 'I want a refund',
      workspaceId: tenant.workspaceId,
      assigneeId: null,
      senderName: 'Vera',
      sequence: 1,
      actor,
    })
  })

  test('assigning and closing send their events once; the same again, unassigning and notes send none', async () => {
    await register({
      onConversationClosed: true,
      onConversationAssigned: true,
      onConversationCreated: false,
      onMessageCreated: false,
    })
    const { memberId } = await guddesk.newMember(tenant, 'Mia Member')
    const id = await guddesk.newConversation(tenant, 'Hello')
    const path = `/api/v1/conversations/${id}`
    const patch = (body: object) => guddesk.call('PATCH', path, body, { key: tenant.key })
    await patch({ assigneeId: memberId })
    await patch({ assigneeId: memberId })
    await patch({ assigneeId: null })
    await patch({ status: 'CLOSED' })
    const { data: closed } = await patch({ status: 'CLOSED' })
    await guddesk.call('POST', `${path}/messages`, { body: 'A note', type: 'NOTE' }, { key: tenant.key })
    await receiver.waitFor(2)
    await quietPeriod()
    expect(receiver.received.map(({ event }) => event)).toEqual(['conversation.assigned', 'conversation.closed'])
    const by = { id: expect.stringMatching(/^key_/), name: 'FULL_ACCESS key' }
    expect(receiver.received[0]?.data).toEqual({
      conversationId: id,
      assigneeId: memberId,
      assigneeName: 'Mia Member',
      assignedBy: by.id,
      assignedByName: by.name,
      workspaceId: tenant.workspaceId,
      actor: { type: 'api_key', ...by },
    })
    expect(receiver.received[1]?.data).toEqual({
      conversationId: id,
      closedBy: by.id,
      closedByName: by.name,
      closedAt: closed.closedAt,
      workspaceId: tenant.workspaceId,
      actor: { type: 'api_key', ...by },
    })
  })

  test('an endpoint gets the events that its flags name', async () => {
    await register({ onMessageCreated: false, onConversationCreated: true })
    await guddesk.newConversation(tenant, 'Hello')
    await receiver.waitFor(1)
    await quietPeriod()
    expect(receiver.received.map(({ event }) => event)).toEqual(['conversation.created'])
  })

  test('GraphQL causes the same events as REST', async () => {
    await register()
    const id = await guddesk.newConversation(tenant)
    const mutation = graphql(`mutation($input: SendMessageInput!) { sendMessage(input: $input) { __typename } }`)
    const input = { conversationId: id, body: 'From GraphQL', type: 'VISITOR' }
    await guddesk.graphql(mutation, { input }, { key: tenant.key })
    const [, message] = await receiver.waitFor(2)
    expect(message?.data).toMatchObject({ body: 'From GraphQL', type: 'VISITOR', sequence: 1 })
  })
})

describe('headers and signatures', () => {
  test.each([
    ['Arabic', 'أريد استرداد أموالي'],
    ['Chinese', '我要退款，谢谢'],
    ['emoji', '👩‍👩‍👧‍👦🏳️‍🌈'.repeat(300)],
    ['control characters', 'a\u0001\u0008\u001f\u007f\u2028\u2029\ufeffb'],
    ['quotes and slashes', '"\\/</script>'],
    ['10,000 characters', 'x\u0002'.repeat(5000)],
  ])('a receiver that signs JSON.stringify(JSON.parse(body)) verifies %s', async (_name, body) => {
    const { secret } = await register()
    await guddesk.newConversation(tenant, body)
    const [, message] = await receiver.waitFor(2)
    const reserialised = JSON.stringify(JSON.parse(message?.text ?? ''))
    const expected = `sha256=${createHmac('sha256', secret).update(reserialised).digest('hex')}`
    expect(message?.headers['x-guddesk-signature']).toBe(expected)
    expect(message?.data['body']).toBe(body)
    expect(Buffer.byteLength(message?.text ?? '')).toBeLessThan(100_000)
    const headers = Object.fromEntries(Object.entries(message?.headers ?? {}).map(([k, v]) => [k, String(v)]))
    expect(new Webhook(secret).verify(message?.text ?? '', headers)).toMatchObject({ event: 'message.created' })
    expect(() => new Webhook('00'.repeat(32)).verify(message?.text ?? '', headers)).toThrow()
  })

  test('every header of the contract; the agent id for agents only', async () => {
    await register()
    const own = await startReceiver()
    const install = { name: 'Bot', webhookUrl: own.url }
    const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
    await guddesk.newConversation(tenant)
    const [plain] = await receiver.waitFor(1)
    const [toAgent] = await own.waitFor(1)
    expect(plain?.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'x-guddesk-event': 'conversation.created',
      'x-guddesk-delivery': expect.stringMatching(/^dlv_[0-9a-z]{26}$/),
      'x-guddesk-attempt': '1',
      'user-agent': expect.stringMatching(/^GudDesk-Webhooks\/\d+\.\d+\.\d+/),
    })
    expect(plain?.headers['webhook-id']).toBe(plain?.headers['x-guddesk-delivery'])
    expect(plain?.headers).not.toHaveProperty('x-guddesk-agent-id')
    expect(toAgent?.headers['x-guddesk-agent-id']).toBe(agent.id)
    expect(toAgent?.headers['x-guddesk-delivery']).not.toBe(plain?.headers['x-guddesk-delivery'])
    await own.close()
  })
})

describe('failing receivers', () => {
  test('500, then 200: the same delivery with the next attempt number, 10 s later and not before', async () => {
    await register()
    receiver.behave((response, _request, count) => response.writeHead(count === 1 ? 500 : 200).end('try again'))
    await guddesk.newConversation(tenant)
    await attempted('conversation.created', 1)
    // 10 s, give or take a tenth.
    guddesk.advance(8500)
    await quietPeriod()
    expect(receiver.received).toHaveLength(1)
    guddesk.advance(2500)
    await receiver.waitFor(2)
    await finished('conversation.created')
    const [first, second] = receiver.received
    expect(second?.headers['x-guddesk-delivery']).toBe(first?.headers['x-guddesk-delivery'])
    expect(second?.headers['x-guddesk-attempt']).toBe('2')
    expect(second?.text).toBe(first?.text)
    const delivery = await deliveryOf('conversation.created')
    expect(delivery).toMatchObject({ status: 'DELIVERED', attempts: 2 })
    expect(delivery.attemptLog).toMatchObject([
      { number: 1, statusCode: 500, response: 'try again', error: null },
      { number: 2, statusCode: 200, error: null },
    ])
  })

  test('eight attempts, then FAILED', async () => {
    await register()
    receiver.behave(answer(503))
    await guddesk.newConversation(tenant)
    const waits = [0, 10, 30, 120, 600, 3600, 21_600, 86_400]
    for (const [i, seconds] of waits.entries()) {
      // Jitter adds up to a tenth.
      guddesk.advance(seconds * 1100)
      await attempted('conversation.created', i + 1)
    }
    expect(await deliveryOf('conversation.created')).toMatchObject({ status: 'FAILED', attempts: 8, due: null })
    guddesk.advance(86_400_000)
    await quietPeriod()
    expect(receiver.received.map(({ headers }) => headers['x-guddesk-attempt'])).toEqual('12345678'.split(''))
  })

  test('Retry-After on 429 is honoured', async () => {
    await register()
    receiver.behave((response, _request, count) =>
      response.writeHead(count === 1 ? 429 : 200, { 'retry-after': '100' }).end(),
    )
    await guddesk.newConversation(tenant)
    await attempted('conversation.created', 1)
    guddesk.advance(90_000)
    await quietPeriod()
    expect(receiver.received).toHaveLength(1)
    // Jitter adds up to a tenth.
    guddesk.advance(20_100)
    await receiver.waitFor(2)
  })

  test('410 disables the endpoint at once, and ops see an event for it', async () => {
    const { id } = await register()
    receiver.behave(answer(410))
    await guddesk.newConversation(tenant)
    await finished('conversation.created')
    const { prisma } = guddesk.deps.db
    expect(await prisma.webhookEndpoint.findUnique({ where: { id } })).toMatchObject({
      isEnabled: false,
      disabledReason: 'gone',
    })
    const event = await prisma.event.findFirstOrThrow({
      where: { workspaceId: tenant.workspaceId, type: 'endpoint.disabled' },
    })
    expect(JSON.parse(event.body).data).toMatchObject({ endpointId: id, reason: 'gone' })
    await guddesk.newConversation(tenant)
    await quietPeriod()
    expect(receiver.received).toHaveLength(1)
    expect(await deliveryOf('conversation.created')).toMatchObject({ status: 'SKIPPED', attempts: 0 })
  })

  test('redirects are not followed and count as failures', async () => {
    const target = await startReceiver()
    await register()
    receiver.behave(answer(307, { location: target.url }))
    await guddesk.newConversation(tenant)
    await attempted('conversation.created', 1)
    expect(target.received).toHaveLength(0)
    expect((await deliveryOf('conversation.created')).status).toBe('PENDING')
    await target.close()
  })

  test('an answer that does not end within 5 s is a failure, and delays no other endpoint', async () => {
    await register()
    receiver.behave((response) => void response.writeHead(200).write('never ends'))
    const good = await startReceiver()
    await guddesk.call('POST', '/api/agent/webhooks', { url: good.url }, { key: tenant.key })
    const began = performance.now()
    await guddesk.newConversation(tenant)
    await good.waitFor(1, 1000)
    await attempted('conversation.created', 1).catch(() => undefined)
    await until(async () => {
      const log = await guddesk.deps.db.prisma.deliveryAttempt.findMany({
        where: { delivery: { endpoint: { url: receiver.url } } },
      })
      return log.length === 1 && log[0]?.error === 'No complete answer within 5 seconds' && log[0].durationMs < 5500
    })
    expect(performance.now() - began).toBeGreaterThan(4500)
    await good.close()
  })

  test('only the first 4 kB of a long answer are kept', async () => {
    await register()
    receiver.behave(answer(500, {}, `${'é'.repeat(100_000)}\u0000`))
    await guddesk.newConversation(tenant)
    await attempted('conversation.created', 1)
    const [attempt] = (await deliveryOf('conversation.created')).attemptLog
    expect(attempt?.response).toBe('é'.repeat(2048))
  })

  test('a connection that is refused is retried', async () => {
    await register()
    await receiver.close()
    await guddesk.newConversation(tenant)
    await attempted('conversation.created', 1)
    const [attempt] = (await deliveryOf('conversation.created')).attemptLog
    expect(attempt).toMatchObject({ statusCode: null, error: 'Connection refused' })
    receiver = await startReceiver(receiver.port)
    guddesk.advance(11_000)
    await receiver.waitFor(1)
  })

  test('five days of nothing but failure disable the endpoint', async () => {
    const { id } = await register()
    receiver.behave(answer(500))
    const isEnabled = async () =>
      (await guddesk.deps.db.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id } })).isEnabled
    for (let day = 0; day < 5; day++) {
      expect(await isEnabled()).toBe(true)
      await guddesk.newConversation(tenant)
      await attempted('conversation.created', 1)
      guddesk.advance(86_400_000)
      await quietPeriod(100)
    }
    await until(async () => !(await isEnabled()))
    const where = { workspaceId: tenant.workspaceId, type: 'endpoint.disabled' }
    expect(await guddesk.deps.db.prisma.event.count({ where })).toBe(1)
  })
})

describe('the breaker', () => {
  const breaker = async (id: string) => {
    const query =
      'query($id: ID!) { node(id: $id) { ... on WebhookEndpoint { breaker { state openedAt nextProbeAt } } } }'
    return (await guddesk.graphql(query, { id }, { key: tenant.key })).data.node.breaker
  }

  test('ten failures open it; then one probe goes out, and its success lets everything through', async () => {
    const { id } = await register()
    receiver.behave(answer(503))
    expect(await breaker(id)).toEqual({ state: 'CLOSED', openedAt: null, nextProbeAt: null })
    await Promise.all(Array.from({ length: 14 }, () => guddesk.newConversation(tenant)))
    await until(async () => (await breaker(id)).state === 'OPEN')
    await quietPeriod()
    const tried = receiver.received.length
    expect(tried).toBeLessThan(14)
    receiver.behave(answer(200))
    guddesk.advance(4000)
    await quietPeriod()
    expect(receiver.received).toHaveLength(tried)
    guddesk.advance(2000)
    await until(async () => (await breaker(id)).state === 'CLOSED')
    // What waited spent no attempts, and what failed goes with it.
    await until(
      async () => (await guddesk.deps.db.prisma.delivery.count({ where: { endpointId: id, due: null } })) === 14,
    )
    const firsts = receiver.received.filter(({ headers }) => headers['x-guddesk-attempt'] === '1')
    expect(firsts).toHaveLength(14)
    expect(receiver.received).toHaveLength(tried + 14)
  })
})

describe('endpoints that fail for days', () => {
  test('half of the time before they are disabled, ops are warned once', async () => {
    const { id } = await register()
    receiver.behave(answer(500))
    const where = { workspaceId: tenant.workspaceId, type: 'endpoint.failing' }
    const warnings = () => guddesk.deps.db.prisma.event.findMany({ where })
    for (let halfDay = 0; halfDay < 7; halfDay++) {
      if (halfDay < 5) expect(await warnings()).toEqual([])
      await guddesk.newConversation(tenant)
      await attempted('conversation.created', 1)
      guddesk.advance(43_200_000)
      await quietPeriod(150)
    }
    await until(async () => (await warnings()).length > 0)
    await quietPeriod(150)
    const [warning, ...more] = await warnings()
    expect(more).toEqual([])
    const { data } = JSON.parse(warning?.body ?? '{}')
    expect(data).toMatchObject({ endpointId: id, url: receiver.url })
    expect(Date.parse(data.disabledAt) - Date.parse(data.failingSince)).toBe(5 * 86_400_000)
    receiver.behave(answer(200))
    await guddesk.newConversation(tenant)
    await finished('conversation.created')
    const endpoint = () => guddesk.deps.db.prisma.webhookEndpoint.findUniqueOrThrow({ where: { id } })
    await until(async () => (await endpoint()).failingSince === null)
    expect(await endpoint()).toMatchObject({ isEnabled: true, failingWarnedAt: null, consecutiveFailures: 0 })
  })
})

describe('fairness', () => {
  test('a backlog that hangs at several endpoints delays nobody else', async () => {
    receiver.behave(() => undefined)
    const hanging = 20
    for (let i = 0; i < hanging; i++) {
      const body = { url: `${receiver.url}/${i}` }
      await guddesk.call('POST', '/api/agent/webhooks', body, { key: tenant.key })
    }
    for (let i = 0; i < 15; i++) await guddesk.newConversation(tenant)
    const other = await guddesk.newTenant()
    const good = await startReceiver()
    await guddesk.call('POST', '/api/agent/webhooks', { url: good.url }, { key: other.key })
    for (let i = 1; i <= 5; i++) {
      const began = performance.now()
      await guddesk.newConversation(other)
      await good.waitFor(i, 3000)
      expect(performance.now() - began).toBeLessThan(3000)
    }
    await good.close()
  })
})

describe('disabling and deleting', () => {
  test('a disabled agent gets nothing; enabling resumes what waited', async () => {
    const install = { name: 'Bot', webhookUrl: receiver.url }
    const { data: agent } = await guddesk.call('POST', '/api/v1/agents', install, { key: tenant.key })
    receiver.behave(answer(500))
    await guddesk.newConversation(tenant)
    await attempted('conversation.created', 1)
    const patch = (body: object) => guddesk.call('PATCH', `/api/v1/agents/${agent.id}`, body, { key: tenant.key })
    await patch({ isEnabled: false })
    receiver.behave(answer(200))
    guddesk.advance(60_000)
    await quietPeriod()
    expect(receiver.received).toHaveLength(1)
    await patch({ isEnabled: true })
    await receiver.waitFor(2)
  })

  test('deleting an endpoint stops what waits for it, and what is being sent ends quietly', async () => {
    const { id } = await register()
    let release: () => void = () => undefined
    receiver.behave((response) => {
      release = () => void response.writeHead(200).end()
    })
    await guddesk.newConversation(tenant, 'Hello')
    await receiver.waitFor(1)
    const gone = await guddesk.call(
      'DELETE',
      '/api/agent/webhooks',
      { endpointId: id, forget: true },
      { key: tenant.key },
    )
    expect(gone.data).toEqual({ deleted: true })
    release()
    guddesk.advance(60_000)
    await quietPeriod()
    expect(receiver.received).toHaveLength(1)
    // What belonged to it goes in the background.
    await until(async () => (await guddesk.deps.db.prisma.delivery.count({ where: { endpointId: id } })) === 0)
    expect(guddesk.logs.filter(({ level }) => Number(level) >= 50)).toEqual([])
  })
})

describe('order', () => {
  test('first attempts of a conversation start in sequence order, one after the other', async () => {
    await register({ onMessageCreated: true, onConversationCreated: false })
    const open: { sequence: unknown; end: () => void }[] = []
    let most = 0
    receiver.behave((response, { data }) => {
      open.push({ sequence: data['sequence'], end: () => void response.writeHead(200).end() })
      most = Math.max(most, open.length)
      setTimeout(() => open.shift()?.end(), 20)
    })
    const id = await guddesk.newConversation(tenant, 'one')
    const send = (body: string) =>
      guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body, type: 'AGENT' }, { key: tenant.key })
    await Promise.all(Array.from({ length: 15 }, (_, i) => send(`message ${i}`)))
    await receiver.waitFor(16)
    expect(receiver.received.map(({ data }) => data['sequence'])).toEqual(Array.from({ length: 16 }, (_, i) => i + 1))
    expect(most).toBe(1)
  })

  test('with STRICT ordering the next one waits until a retry has succeeded', async () => {
    const { id: endpointId } = await register({ onMessageCreated: true, onConversationCreated: false })
    const strict = graphql(`mutation($input: UpdateWebhookEndpointInput!) {
      updateWebhookEndpoint(input: $input) { __typename } }`)
    await guddesk.graphql(strict, { input: { endpointId, ordering: 'STRICT' } }, { key: tenant.key })
    receiver.behave((response, _request, count) => response.writeHead(count === 1 ? 500 : 200).end())
    const id = await guddesk.newConversation(tenant, 'one')
    await guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body: 'two' }, { key: tenant.key })
    const other = await guddesk.newConversation(tenant, 'other')
    await receiver.waitFor(2)
    await quietPeriod()
    expect(receiver.received.map(({ data }) => data['conversationId'])).toEqual([id, other])
    guddesk.advance(11_000)
    await receiver.waitFor(4)
    const mine = receiver.received.filter(({ data }) => data['conversationId'] === id)
    expect(mine.map(({ data }) => data['sequence'])).toEqual([1, 1, 2])
  })

  test('a failed one steps aside', async () => {
    await register({ onMessageCreated: true, onConversationCreated: false })
    receiver.behave((response, { data }) => response.writeHead(data['sequence'] === 1 ? 500 : 200).end())
    const id = await guddesk.newConversation(tenant, 'one')
    await guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body: 'two' }, { key: tenant.key })
    await receiver.waitFor(2)
    expect(receiver.received.map(({ data }) => data['sequence'])).toEqual([1, 2])
  })
})
