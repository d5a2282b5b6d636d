import { afterAll, beforeAll, expect, test } from 'vitest'
import { listConversations } from '../../../src/domain/conversations/list-conversations.ts'
import type { Actor } from '../../../src/domain/shared/actor.ts'
import { newId } from '../../../src/domain/shared/ids.ts'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'

let guddesk: TestGudDesk
let other: Tenant
const ids: Record<string, string> = {}

/** Each with the visitor's name, an address, a subject, and messages. */
const CONVERSATIONS: Record<string, { name: string; email?: string; subject?: string; messages: string[] }> = {
  refund: {
    name: 'Vera Müller',
    email: 'vera.mueller@shop-example.com',
    subject: 'Refund of order',
    messages: ['Please refund ORD-1234, I paid $49.99!', 'It was damaged'],
  },
  damaged: { name: 'Otto', messages: ['A damaged box', 'Please look into it'] },
  russian: { name: 'Иван Петров', messages: ['ПРИВЕТ, где мой Заказ?'] },
  chinese: { name: '王小明', messages: ['你好，我想退款，订单还没有到'] },
  japanese: { name: 'さくら', messages: ['注文をキャンセルしたいです'] },
  korean: { name: '민수', messages: ['주문이 아직 도착하지 않았어요'] },
  thai: { name: 'สมชาย', messages: ['สินค้าชำรุดครับ'] },
  greek: { name: 'Ελένη', messages: ['Η παραγγελία μου ΑΡΓΗΣΕ'] },
  arabic: { name: 'ليلى', messages: ['أين طلبي من فضلك'] },
  wide: { name: 'Wide', messages: ['ＦＵＬＬ ｗｉｄｔｈ'] },
}

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  other = await guddesk.newTenant()
  for (const [name, given] of Object.entries(CONVERSATIONS)) ids[name] = await conversation(guddesk.tenant, given)
  await conversation(other, { name: 'Vera Müller', subject: 'Refund', messages: ['refund damaged 退款 заказ'] })
  const note = { body: 'Internal: probably fraudulent', type: 'NOTE' }
  await guddesk.call('POST', `/api/v1/conversations/${ids['damaged']}/messages`, note)
})

afterAll(() => guddesk?.stop())

async function conversation(
  { key }: Tenant,
  { name, email, subject, messages }: (typeof CONVERSATIONS)[string],
): Promise<string> {
  const visitor = await guddesk.call('POST', '/api/v1/customers', { name, email }, { key })
  const [message, ...rest] = messages
  const start = { visitorId: visitor.data.id, subject, message }
  const { data } = await guddesk.call('POST', '/api/v1/conversations', start, { key })
  for (const body of rest) await guddesk.call('POST', `/api/v1/conversations/${data.id}/messages`, { body }, { key })
  return data.id
}

/** The names of what is found, in the order above; totalCount must agree. */
async function found(text: string, key = guddesk.tenant.key): Promise<string[]> {
  const query = graphql(`query ($text: String) {
    conversations(filter: { text: $text }) { totalCount edges { node { id } } } }`)
  const { body } = await guddesk.graphql(query, { text }, { key })
  expect(body.errors).toBeUndefined()
  const { edges, totalCount } = body.data.conversations
  expect(edges).toHaveLength(totalCount)
  const got = edges.map(({ node }: { node: { id: string } }) => node.id)
  expect(got.filter((id: string) => !Object.values(ids).includes(id))).toEqual([])
  return Object.keys(CONVERSATIONS).filter((name) => got.includes(ids[name]))
}

test.each([
  ['a word in a message', 'damaged', ['refund', 'damaged']],
  ['a word in capitals', 'DAMAGED', ['refund', 'damaged']],
  ['the beginning of the last word', 'please ref', ['refund']],
  ['no beginning of another word', 'plea refund', []],
  ['no middle of a word', 'amage', []],
  ['words of one message in any order', 'paid please', ['refund']],
  ['no words of two messages', 'paid damaged', []],
  ['the subject', 'order of refund', ['refund']],
  ['the visitor’s name', 'müller', ['refund']],
  ['the visitor’s name and address together', 'vera example', ['refund']],
  ['an email address', 'vera.mueller@shop-example.com', ['refund']],
  ['part of an email address', 'shop-example', ['refund']],
  ['a number of an order', 'ord-1234', ['refund']],
  ['its digits', '1234', ['refund']],
  ['a price', '49.99', ['refund']],
  ['a note', 'fraudulent', ['damaged']],
  ['Russian, whatever its case', 'привет заказ', ['russian']],
  ['a Russian name’s beginning', 'пет', ['russian']],
  ['Chinese, within a sentence', '退款', ['chinese']],
  ['a Chinese name', '小明', ['chinese']],
  ['Chinese characters in their order only', '款退', []],
  ['Japanese', 'キャンセル', ['japanese']],
  ['Korean without its particle', '주문', ['korean']],
  ['Thai', 'ชำรุด', ['thai']],
  ['Greek', 'αργησε', ['greek']],
  ['Arabic', 'طلبي', ['arabic']],
  ['wide letters by narrow ones', 'full width', ['wide']],
  ['narrow letters by wide ones', 'ｒｅｆｕｎｄ', ['refund']],
  ['what nobody wrote', 'xyzzy', []],
])('finds %s', async (_name, text, names) => {
  expect(await found(text)).toEqual(names)
})

/** What would be syntax of full text search, of LIKE, of SQL or of regular expressions. */
test.each([
  ["refund' | 'damaged", []],
  ['refund | damaged', []],
  ['refund & please', ['refund']],
  ['!refund', ['refund']],
  ['refund:*', ['refund']],
  ['please <-> refund', ['refund']],
  ["'", []],
  ["''", []],
  ['\\', []],
  [':*', []],
  ['%', []],
  ['( ) ! & | : * < - >', []],
  ["refund'; DROP TABLE messages; --", []],
  ['refund\\', ['refund']],
  ["'ws_01jy0000000000000000000000'", []],
  ['😀', []],
])('%s is never syntax', async (text, names) => {
  expect(await found(text)).toEqual(names)
})

test('stays in the workspace, also for those who search for its id', async () => {
  const query = graphql(`{ conversations(filter: { text: "refund" }) { totalCount } }`)
  const { data } = await guddesk.graphql(query, {}, { key: other.key })
  expect(data.conversations.totalCount).toBe(1)
  expect(await found(other.workspaceId)).toEqual([])
  expect(await found(guddesk.tenant.workspaceId)).toEqual([])
})

test('an agent’s key finds notes; a visitor does not, and only its own', async () => {
  const bot = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/search' }
  const { data } = await guddesk.call('POST', '/api/v1/agents', bot)
  expect(await found('fraudulent', data.credentials.apiKey)).toEqual(['damaged'])
  const row = await guddesk.deps.db.prisma.conversation.findUniqueOrThrow({ where: { id: ids['damaged'] ?? '' } })
  const { visitorId: id, workspaceId } = row
  const nobody = { permission: 'READ_ONLY', user: null, role: null, origin: null } as const
  const visitor: Actor = { ...nobody, type: 'visitor', id, name: 'Otto', workspaceId }
  const search = async (text: string) => {
    const page = await listConversations(guddesk.deps, visitor, { text }, { limit: 10, cursor: null })
    return page.rows.map(({ id }) => id)
  }
  expect(await search('fraudulent')).toEqual([])
  expect(await search('damaged')).toEqual([ids['damaged']])
})

test('combines with other conditions', async () => {
  const query = graphql(`{ conversations(filter: { text: "damaged", statuses: CLOSED }) { totalCount } }`)
  const { data } = await guddesk.graphql(query)
  expect(data.conversations.totalCount).toBe(0)
})

test('finds what many have and what few have, in order, page by page, both ways', async () => {
  const tenant = await guddesk.newTenant()
  const visitorId = await guddesk.newVisitor(tenant, 'Zoe')
  const prisma = guddesk.deps.db.prisma
  const { workspaceId } = tenant
  const began = guddesk.clock.now().getTime()
  const rows = Array.from({ length: 260 }, (_, i) => {
    const at = new Date(began + i * 1000)
    const times = { createdAt: at, lastActivityAt: at, updatedAt: at }
    // One of them is long: it is not looked through.
    return { id: newId('conversation'), workspaceId, visitorId, messageCount: i === 40 ? 5000 : 1, ...times }
  })
  await prisma.conversation.createMany({ data: rows })
  const text = (i: number) => ['common', i % 3 === 0 ? 'third' : '', i === 7 || i === 11 ? 'rare' : ''].join(' ')
  await prisma.message.createMany({
    data: rows.map(({ id }, i) => ({
      ...{
        id: newId('message'),
        workspaceId,
        conversationId: id,
        sequence: 1,
        type: 'VISITOR' as const,
        body: text(i),
      },
    })),
  })
  const query =
    graphql(`query ($text: String, $first: Int, $after: String, $last: Int, $before: String, $sort: ConversationSort) {
    conversations(filter: { text: $text }, first: $first, after: $after, last: $last, before: $before, sort: $sort) {
      totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { node { id } } } }`)
  const walk = async (words: string, forwards: boolean, sort: string) => {
    const ids: string[] = []
    for (let cursor: string | null = null; ; ) {
      const page: object = forwards ? { first: 30, after: cursor } : { last: 30, before: cursor }
      const { body } = await guddesk.graphql(query, { text: words, sort, ...page }, { key: tenant.key })
      const { edges, pageInfo } = body.data.conversations
      const found = edges.map(({ node }: { node: { id: string } }) => node.id)
      if (forwards) ids.push(...found)
      else ids.unshift(...found)
      if (!(forwards ? pageInfo.hasNextPage : pageInfo.hasPreviousPage)) return ids
      cursor = forwards ? pageInfo.endCursor : pageInfo.startCursor
    }
  }
  for (const words of ['common', 'third', 'rare', 'zoe', 'none']) {
    const expected = rows.filter((_, i) => words === 'zoe' || text(i).split(' ').includes(words)).map(({ id }) => id)
    for (const sort of ['LATEST_ACTIVITY', 'NEWEST']) {
      expect(await walk(words, true, sort), `${words} by ${sort}`).toEqual(expected.toReversed())
      expect(await walk(words, false, sort), `${words} by ${sort}, backwards`).toEqual(expected.toReversed())
    }
  }
})

test('words are looked up in the indexes, whatever the planner thinks of it', async () => {
  const { prisma } = guddesk.deps.db
  const [body] = await prisma.$queryRaw<{ config: string[]; source: string }[]>`
    SELECT proconfig AS config, prosrc AS source FROM pg_proc WHERE proname = 'search_conversations'`
  expect(body?.config).toContain('enable_seqscan=off')
  const query = (body?.source ?? '')
    .replaceAll(/search_query\(workspace, words\)/g, `search_query('${guddesk.tenant.workspaceId}', ARRAY['refund'])`)
    .replace('in_notes', 'true')
  const plan = await prisma.$transaction(async (db) => {
    await db.$executeRaw`SET LOCAL enable_seqscan = off`
    return db.$queryRawUnsafe<Record<string, string>[]>(`EXPLAIN ${query}`)
  })
  const text = plan.map((line) => Object.values(line).join('')).join('\n')
  for (const table of ['messages', 'conversations', 'visitors']) expect(text).toContain(`${table}_search_idx`)
})
