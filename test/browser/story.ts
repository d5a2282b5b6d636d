import type { TestGudDesk } from '../support/guddesk.ts'

/** Conversations of every kind, for pictures and for audits. */
export async function tellStory({ call, graphql, tenant, newMember, deps }: TestGudDesk): Promise<void> {
  const post = async (path: string, body: object, key = tenant.key) => (await call('POST', path, body, { key })).data
  const ada = await newMember(tenant, 'Ada Adler')
  const agent = await post('/api/v1/agents', { name: 'RefundBot', webhookUrl: 'http://127.0.0.1:9/refunds' })
  for (const [i, { name, subject, says }] of CONVERSATIONS.entries()) {
    const metadata = { plan: i % 3 === 0 ? 'Team' : 'Free', orders: i + 1 }
    const visitor = await post('/api/v1/customers', {
      name,
      email: `visitor${i}@example.com`,
      externalId: `cus_${1000 + i}`,
      metadata,
    })
    const { id } = await post('/api/v1/conversations', { visitorId: visitor.id, subject, message: says })
    const write = (type: string, body: string) => post(`/api/v1/conversations/${id}/messages`, { type, body })
    if (i % 2 === 0) await post('/api/agent/reply', { conversationId: id, body: ANSWER }, agent.credentials.apiKey)
    if (i % 3 === 0) await write('NOTE', 'Checked with the warehouse: it was sent back on Monday.')
    if (i % 3 === 1) {
      const assigneeId = i % 2 === 0 ? ada.memberId : tenant.memberId
      await call('PATCH', `/api/v1/conversations/${id}`, { assigneeId, tags: ['refund', 'vip'], priority: i % 4 })
      await write('AGENT', 'I am taking over from here. Could you send a photo of the broken part?')
      const input = { conversationId: id, type: 'VISITOR', body: 'Sure. It broke right at the seam.' }
      await graphql('mutation Say($input: SendMessageInput!) { sendMessage(input: $input) { __typename } }', { input })
    }
    if (i === 5) await call('PATCH', `/api/v1/conversations/${id}`, { status: 'CLOSED' })
    const tomorrow = new Date(deps.clock.now().getTime() + 20 * 3_600_000).toISOString()
    if (i === 8) await call('PATCH', `/api/v1/conversations/${id}`, { status: 'SNOOZED', snoozedUntil: tomorrow })
  }
}

const ANSWER = 'Thanks for writing! I have found your order and I am looking into it.\n\nIt usually takes a minute.'

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
