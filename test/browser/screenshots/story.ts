import { randomUUID } from 'node:crypto'
import { newId } from '../../../src/domain/shared/ids.ts'
import type { TestGudDesk } from '../../support/guddesk.ts'
import { startReceiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** What a story leaves running. */
export interface Story {
  /** Visitors write for so long, a few times a second. */
  talk(ms: number): Promise<void>
  close(): Promise<void>
}

/**
 * Conversations of every kind over some days, and endpoints that are well, failing and gone, for pictures and for audits.
 */
export async function tellStory(guddesk: TestGudDesk): Promise<Story> {
  const { call, graphql, tenant, newMember, deps } = guddesk
  const post = async (path: string, body: object, key = tenant.key) => (await call('POST', path, body, { key })).data
  const ada = await newMember(tenant, 'Ada Adler')
  await deps.db.prisma.user.update({ where: { id: ada.userId }, data: { email: 'ada@acme.test' } })
  const receiver = await startReceiver()
  const origin = new URL(receiver.url).origin
  receiver.behave((response, { path }) => {
    const status = path === '/crm' ? 503 : path === '/old-bot' ? 410 : 200
    setTimeout(() => response.writeHead(status, { 'content-type': 'application/json' }).end(ANSWERS[status]), 12)
  })
  const all = { onMessageCreated: true, onConversationCreated: true, onConversationClosed: true }
  await post('/api/agent/webhooks', { url: `${origin}/old-bot`, description: 'The bot of last year' })
  await post('/api/agent/webhooks', { url: `${origin}/crm`, description: 'Customer records', events: all })
  const agent = await post('/api/v1/agents', {
    name: 'RefundBot',
    description: 'Answers questions about refunds and returns.',
    creatorName: 'Acme Labs',
    webhookUrl: `${origin}/refunds`,
  })
  const say = (conversationId: string, body: string) =>
    graphql('mutation Say($input: SendMessageInput!) { sendMessage(input: $input) { __typename } }', {
      input: { conversationId, type: 'VISITOR', body },
    })
  const ids: string[] = []
  for (const [i, { name, subject, says }] of CONVERSATIONS.entries()) {
    const metadata = { plan: i % 3 === 0 ? 'Team' : 'Free', orders: i + 1 }
    const visitor = await post('/api/v1/customers', {
      name,
      email: `${name
        .split(' ')[0]
        ?.normalize('NFD')
        .replace(/\P{ASCII}/gu, '')
        .toLowerCase()}@example.com`,
      externalId: `cus_${1000 + i}`,
      metadata,
    })
    const { id } = await post('/api/v1/conversations', { visitorId: visitor.id, subject, message: says })
    ids.push(id)
    const write = (type: string, body: string) => post(`/api/v1/conversations/${id}/messages`, { type, body })
    if (i % 2 === 0 || i === 7)
      await post('/api/agent/reply', { conversationId: id, body: ANSWER }, agent.credentials.apiKey)
    if (i % 3 === 0 || i === 7) await write('NOTE', 'Checked with the warehouse: it was sent back on Monday.')
    if (i % 3 === 1) {
      const assigneeId = i % 2 === 0 ? ada.memberId : tenant.memberId
      await call('PATCH', `/api/v1/conversations/${id}`, { assigneeId, tags: ['refund', 'vip'], priority: i % 4 })
      await write('AGENT', 'I am taking over from here. Could you send a photo of the broken part?')
      await say(id, 'Sure. It broke right at the seam.')
    }
    if (i === 5) await call('PATCH', `/api/v1/conversations/${id}`, { status: 'CLOSED' })
    const tomorrow = new Date(deps.clock.now().getTime() + 20 * HOUR).toISOString()
    if (i === 8) await call('PATCH', `/api/v1/conversations/${id}`, { status: 'SNOOZED', snoozedUntil: tomorrow })
  }
  await delivered(guddesk, agent.webhookEndpoint.id)
  for (const [i, id] of ids.entries()) await setBack(guddesk, id, AGES[i] ?? 0)
  await rememberDeliveries(guddesk, agent.webhookEndpoint.id)
  return {
    async talk(ms) {
      const end = performance.now() + ms
      for (let i = 0; performance.now() < end; i++) {
        await say(ids[i % 4] ?? '', CHATTER[i % CHATTER.length] ?? '')
        await new Promise((resolve) => setTimeout(resolve, 120 + 100 * Math.sin(i / 6)))
      }
    },
    close: () => receiver.close(),
  }
}

/** What its agent is to hear of has reached it. The others fail, which takes longer. */
async function delivered({ deps }: TestGudDesk, endpointId: string): Promise<void> {
  await until(
    async () => (await deps.db.prisma.delivery.count({ where: { endpointId, nextAttemptAt: { not: null } } })) === 0,
  )
}

/** Puts what happened in a conversation into the past: its last message so long ago, each before it some minutes earlier. */
async function setBack({ deps }: TestGudDesk, conversationId: string, agoMs: number): Promise<void> {
  const { prisma } = deps.db
  const messages = await prisma.message.findMany({ where: { conversationId }, orderBy: { sequence: 'desc' } })
  const last = deps.clock.now().getTime() - agoMs
  let at = last
  for (const [i, { id }] of messages.entries()) {
    await prisma.message.update({ where: { id }, data: { createdAt: new Date(at) } })
    // The first of several is from the day before.
    at -= i === messages.length - 2 && messages.length > 3 ? 21 * HOUR : 4 * MINUTE
  }
  const createdAt = new Date(at)
  const lastActivityAt = new Date(last)
  const where = { conversationId }
  const { visitorId } = await prisma.conversation.update({
    where: { id: conversationId },
    data: { createdAt, lastActivityAt, lastMessageAt: lastActivityAt },
  })
  await prisma.visitor.update({ where: { id: visitorId }, data: { createdAt } })
  await prisma.event.updateMany({ where, data: { createdAt: lastActivityAt } })
  await prisma.delivery.updateMany({ where, data: { createdAt: lastActivityAt } })
  await prisma.deliveryAttempt.updateMany({ where: { delivery: where }, data: { startedAt: lastActivityAt } })
}

/** A day of deliveries to one endpoint, more of them by day than by night, for charts. */
async function rememberDeliveries({ deps, tenant }: TestGudDesk, endpointId: string): Promise<void> {
  const { prisma } = deps.db
  const { workspaceId } = tenant
  const now = deps.clock.now().getTime()
  const made = Array.from({ length: 900 }, (_, i) => {
    // Half of them within the last hour.
    const ago = i % 2 === 0 ? (i / 900) * HOUR : ((i / 900 + Math.sin(i / 40) / 12 + 0.1) % 1) * 24 * HOUR
    const hasFailed = i % 61 === 0
    const duration = Math.round(22 + 18 * Math.abs(Math.sin(i / 17)) + (i % 19 === 0 ? 140 : 0))
    return {
      eventId: newId('event'),
      id: newId('delivery'),
      createdAt: new Date(now - ago - 3 * MINUTE),
      hasFailed,
      duration,
    }
  })
  const data = { conversationId: null, messageId: randomUUID(), type: 'VISITOR', body: 'From before', workspaceId }
  await prisma.event.createMany({
    data: made.map(({ eventId, createdAt }) => {
      const body = JSON.stringify({ event: 'message.created', data, timestamp: createdAt.toISOString() })
      return { id: eventId, workspaceId, type: 'message.created', body, createdAt }
    }),
  })
  await prisma.delivery.createMany({
    data: made.map(({ eventId, id, createdAt, hasFailed }, i) => {
      const status = hasFailed ? ('FAILED' as const) : ('DELIVERED' as const)
      return { id, eventId, workspaceId, endpointId, seq: i, status, attempts: 1, finishedAt: createdAt, createdAt }
    }),
  })
  await prisma.deliveryAttempt.createMany({
    data: made.map(({ id, createdAt, hasFailed, duration }) => {
      const startedAt = new Date(createdAt.getTime() + 6)
      return { deliveryId: id, number: 1, startedAt, durationMs: duration, statusCode: hasFailed ? 500 : 200 }
    }),
  })
}

const ANSWER = 'Thanks for writing! I have found your order and I am looking into it.\n\nIt usually takes a minute.'

const ANSWERS: Record<number, string> = {
  200: '{"ok":true}',
  410: '{"error":"This bot was retired"}',
  503: '{"error":"The customer database is being upgraded"}',
}

const CHATTER = [
  'Hello?',
  'Any news about it?',
  'Thank you, that helps!',
  'Order #2291, if that helps.',
  'I will wait.',
]

/** How long ago the last message of each conversation was written, in milliseconds. */
const AGES = [
  4 * 24 * HOUR,
  2 * 24 * HOUR,
  27 * HOUR,
  9 * HOUR,
  5 * HOUR,
  3 * HOUR,
  95 * MINUTE,
  14 * MINUTE,
  40 * MINUTE,
]

const CONVERSATIONS = [
  {
    name: 'Vera Visser',
    subject: 'Refund for order #1234',
    says: 'I would like a refund: the zip broke after two days.',
  },
  { name: 'Walter Weiss', subject: 'Where is my parcel?', says: 'It should have been here on Tuesday.' },
  { name: 'Xenia Xu', says: 'I cannot sign in any more, it says that my password is wrong. I did not change it.' },
  { name: 'Yusuf Yılmaz', subject: 'Invoice for October', says: 'Could you send it as a PDF? My accountant needs it.' },
  { name: 'Zoë Zimmer', subject: 'Upgrade to the team plan', says: 'We are nine people now. What does it cost?' },
  { name: 'Amara Okafor', subject: 'Change of address', says: 'We have moved. Can you still change it?' },
  { name: 'Bruno Costa', says: 'Hey 👋 quick question about shipping to Norway' },
  { name: 'Chloé Dupont', subject: 'Two charges on my card', says: 'I was charged twice for the same order.' },
  { name: 'Deniz Arslan', subject: 'Discount code', says: 'WELCOME10 is refused at the checkout.' },
]
