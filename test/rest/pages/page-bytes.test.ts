import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

const MAX_PAGE = 2 * 2 ** 20
const MAX_OPERATION = 4 * 2 ** 20
/** What stands around the rows. */
const AROUND = 20_000
const COUNT = 120

let guddesk: TestGudDesk
let conversationId: string

beforeAll(async () => {
  guddesk = await startGudDesk()
  const { prisma, sql } = guddesk.deps.db
  const { workspaceId } = guddesk.tenant
  conversationId = await guddesk.newConversation(guddesk.tenant, 'First')
  const body = '🙂'.repeat(10_000)
  await prisma.message.createMany({
    data: Array.from({ length: COUNT - 1 }, (_, i) => ({
      ...{ id: newId('message'), workspaceId, conversationId, sequence: i + 2 },
      ...{ type: 'NOTE' as const, body },
    })),
  })
  await sql('UPDATE conversations SET message_count = $1 WHERE id = $2', [COUNT, conversationId])
  await sql(
    `INSERT INTO events (id, workspace_id, conversation_id, type, body)
     SELECT 'evt_' || n, $1, $2, 'ping', '{"event":"ping","data":{"text":"' || repeat('x', 60000) || '"},"timestamp":""}'
       FROM generate_series(1, $3::int) n`,
    [workspaceId, conversationId, COUNT],
  )
  const createdAt = new Date('2026-01-01T00:00:00Z')
  const metadata = { text: '🙂'.repeat(4000) }
  const each = <T>(make: (i: number) => T) => Array.from({ length: COUNT }, (_, i) => make(i))
  await prisma.visitor.createMany({
    data: each((i) => ({ id: newId('visitor'), workspaceId, createdAt, metadata: { ...metadata, i, more: metadata } })),
  })
  await prisma.article.createMany({
    data: each((i) => ({
      ...{ id: newId('article'), workspaceId, createdAt },
      ...{ title: `${i}`, slug: `${i}`, body: '"'.repeat(50_000) },
    })),
  })
}, 60_000)

afterAll(() => guddesk?.stop())

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value))

describe('REST', () => {
  test.each(['messages', 'customers'])('a page of %s ends at 2 MiB, and the cursor goes on', async (name) => {
    const path = name === 'messages' ? `/api/v1/conversations/${conversationId}/messages` : '/api/v1/customers'
    const ids: string[] = []
    let cursor: string | null = null
    let pages = 0
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`
      const answer = await guddesk.call('GET', `${path}?limit=100${query}`)
      expect(answer.status).toBe(200)
      expect(bytesOf(answer.data)).toBeLessThan(MAX_PAGE + AROUND)
      ids.push(...answer.data.map(({ id }: { id: string }) => id))
      cursor = answer.body.meta.nextCursor
      pages += 1
    } while (cursor !== null)
    expect(pages).toBeGreaterThan(1)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.length).toBeGreaterThanOrEqual(COUNT)
  })
})

interface Connection {
  edges: { cursor: string; node: { id: string } }[]
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string; endCursor: string }
  totalCount: number
}

const PAGE_INFO = 'pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount'

const LISTS = {
  messages: (args: string) =>
    `conversation(id: "${conversationId}") { list: messages(${args}) { edges { cursor node { id body } } ${PAGE_INFO} } }`,
  "a conversation's events": (args: string) =>
    `conversation(id: "${conversationId}") { list: events(${args}) { edges { cursor node { id payload } } ${PAGE_INFO} } }`,
  events: (args: string) => `list: events(${args}) { edges { cursor node { id payload } } ${PAGE_INFO} }`,
  articles: (args: string) => `list: articles(${args}) { edges { cursor node { id body } } ${PAGE_INFO} }`,
  visitors: (args: string) => `list: visitors(${args}) { edges { cursor node { id metadata } } ${PAGE_INFO} }`,
} as const

async function ask(query: string): Promise<{ data: Record<string, never>; bytes: number }> {
  const response = await fetch(`${guddesk.origin}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${guddesk.tenant.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  })
  const text = await response.text()
  const { data, errors } = JSON.parse(text)
  expect(errors).toBe(undefined)
  return { data, bytes: Buffer.byteLength(text) }
}

describe('GraphQL', () => {
  describe.each(Object.keys(LISTS) as (keyof typeof LISTS)[])('%s', (name) => {
    test.each(['first', 'last'])('a walk by %s sees each row once, in pages of at most 2 MiB', async (size) => {
      const ids: string[] = []
      let args = `${size}: 100`
      let pages = 0
      for (let isMore = true; isMore; pages += 1) {
        const { data, bytes } = await ask(`{ ${LISTS[name](args)} }`)
        const { list } = ('conversation' in data ? data['conversation'] : data) as unknown as { list: Connection }
        expect(bytes).toBeLessThan(MAX_PAGE + AROUND)
        const here = list.edges.map(({ node }) => node.id)
        ids.push(...(size === 'first' ? here : here.reverse()))
        const { hasNextPage, hasPreviousPage, startCursor, endCursor } = list.pageInfo
        isMore = size === 'first' ? hasNextPage : hasPreviousPage
        args = size === 'first' ? `first: 100, after: "${endCursor}"` : `last: 100, before: "${startCursor}"`
        if (!isMore) expect(ids).toHaveLength(list.totalCount)
      }
      expect(pages).toBeGreaterThan(1)
      expect(new Set(ids).size).toBe(ids.length)
    })
  })

  test('the pages of one operation have 4 MiB together, and at least a row each', async () => {
    const aliases = Array.from(
      { length: 9 },
      (_, i) => `a${i}: messages(first: 100) { edges { node { body } } pageInfo { hasNextPage } }`,
    )
    const { data, bytes } = await ask(`{ conversation(id: "${conversationId}") { ${aliases.join(' ')} } }`)
    expect(bytes).toBeLessThan(MAX_OPERATION + 9 * 41_000 + AROUND)
    const pages: { edges: unknown[]; pageInfo: { hasNextPage: boolean } }[] = Object.values(data['conversation'] ?? {})
    expect(pages.map(({ edges, pageInfo }) => edges.length > 0 && pageInfo.hasNextPage)).toEqual(Array(9).fill(true))
  })

  test('a row that stands in the answer many times counts as often', async () => {
    const copies = Array.from({ length: 40 }, (_, i) => `b${i}: body`)
    const { bytes } = await ask(
      `{ conversation(id: "${conversationId}") { messages(first: 100) { edges { node { ${copies.join(' ')} } } } } }`,
    )
    expect(bytes).toBeLessThan(MAX_PAGE + AROUND)
  })
})
