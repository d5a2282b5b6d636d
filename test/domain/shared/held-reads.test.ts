import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Database } from '../../../src/infra/database/db.ts'
import { holdTransaction, inTransaction } from '../../../src/infra/database/transaction.ts'
import { makeObjects, ok } from '../../rest/objects.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

// Within a held transaction rows come through Prisma, and outside of it through node-pg: they must be the same.

let guddesk: TestGudDesk
let session: string

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  session = await guddesk.newSession(guddesk.tenant)
  const { conversationId, memberId, visitorId } = await makeObjects(guddesk)
  const patch = {
    ...{ assigneeId: memberId, tags: ['plain', 'with, comma', 'with "quotes"'], priority: 2, subject: 'Ünïcode' },
    ...{ metadata: { list: [1, 'two', null], nested: { number: 1.5 } }, snoozedUntil: '2099-01-15T10:30:00.123Z' },
  }
  await ok(guddesk.call('PATCH', `/api/v1/conversations/${conversationId}`, patch))
  const person = { email: 'vera@example.com', externalId: 'v-1', avatarUrl: 'https://example.com/vera.png' }
  await ok(guddesk.call('PATCH', `/api/v1/customers/${visitorId}`, { ...person, metadata: { plan: 'pro' } }))
  // Another one with nothing that can be left out.
  await guddesk.newConversation(guddesk.tenant)
  await ok(
    guddesk.call('POST', `/api/v1/conversations/${conversationId}/messages`, { body: 'Refunded', type: 'AGENT' }),
  )
})

afterAll(() => guddesk?.stop())

/** One call of a database's own ways to run a statement. */
interface Read {
  readonly way: 'sql' | 'prepared' | 'values'
  readonly text: string
  run(db: Database): Promise<unknown[]>
}

/** What the server reads while something is asked. */
async function readsOf(ask: () => Promise<unknown>): Promise<Read[]> {
  const { db } = guddesk.deps
  const [sql, prepared, values] = [vi.spyOn(db, 'sql'), vi.spyOn(db, 'prepared'), vi.spyOn(db, 'values')]
  try {
    await ask()
    const textOf = (statement: string | { text: string }) =>
      typeof statement === 'string' ? statement : statement.text
    const reads: Read[] = [
      ...sql.mock.calls.map(
        ([text, params]) => ({ way: 'sql', text, run: (db: Database) => db.sql(text, params) }) as const,
      ),
      ...prepared.mock.calls.map(
        ([statement, params]) =>
          ({ way: 'prepared', text: statement.text, run: (db: Database) => db.prepared(statement, params) }) as const,
      ),
      ...values.mock.calls.map(
        ([statement, params]) =>
          ({ way: 'values', text: textOf(statement), run: (db: Database) => db.values(statement, params) }) as const,
      ),
    ]
    return reads.filter(({ text }) => !/\b(INSERT|UPDATE|DELETE)\b/.test(text))
  } finally {
    for (const spy of [sql, prepared, values]) spy.mockRestore()
  }
}

/** Ids of transactions and snapshots move on meanwhile; that they are texts must not. */
function steady(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/^\d+(:\d+:[\d,]*)?$/, 'digits')
  if (Array.isArray(value)) return value.map(steady)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, steady(each)]))
}

async function expectTheSame(reads: readonly Read[]): Promise<void> {
  const { db } = guddesk.deps
  const outside: unknown[][] = []
  for (const read of reads) outside.push(await read.run(db))
  const inside = await holdTransaction(
    db,
    async (held) => {
      await inTransaction({ db: held }, async () => undefined)
      const found: unknown[][] = []
      for (const read of reads) found.push(await read.run(held))
      return found
    },
    async () => undefined,
  )
  for (const [i, { way, text }] of reads.entries()) {
    expect(steady(inside[i]), `${way}: ${text}`).toStrictEqual(steady(outside[i]))
  }
}

const CONVERSATION = `id status channel subject priority tags metadata messageCount lastMessageAt lastMessagePreview
  lastActivityAt snoozedUntil closedAt createdAt updatedAt unreadCount
  visitor { id name email externalId metadata avatarUrl createdAt } assignee { id name role email }`

const QUERIES = [
  `{ conversations(first: 5) { totalCount edges { cursor node { ${CONVERSATION} } } } }`,
  '{ conversations(first: 5) { edges { node { id } } } }',
  '{ conversations(last: 1, sort: NEWEST) { edges { cursor node { id tags metadata } } } }',
  `{ conversations(filter: { text: "refunded", tags: { any: ["plain"] }, statuses: [SNOOZED, OPEN] }) {
    totalCount edges { cursor node { ${CONVERSATION} } } } }`,
  `{ conversations(filter: { text: "nobody" }) { edges { node { id } } } }`,
  `{ visitors(first: 5) { edges { node { id conversations(first: 2) { totalCount edges { node { ${CONVERSATION} } } } } } } }`,
  '{ deliveries(first: 5) { totalCount edges { node { id status endpoint { id } event { id conversation { id } } } } } }',
  '{ events(first: 5) { totalCount edges { cursor node { id type payload conversation { id visitor { id } } } } } }',
  '{ inboxCounts { mine unassigned open } dispatchState { pending } }',
]

test('every statement by hand that the API reads with gives the same rows, of the same types', async () => {
  const headers = { 'x-workspace-id': guddesk.tenant.workspaceId }
  const reads = await readsOf(async () => {
    for (const query of QUERIES) {
      for (const key of [session, guddesk.tenant.key]) {
        const { body } = await guddesk.graphql(query, {}, { key, headers })
        expect(body.errors, query).toBeUndefined()
        const { edges = [] } = body.data.conversations ?? {}
        const cursor = edges.at(-1)?.cursor
        if (cursor === undefined || !query.startsWith('{ conversations(first')) continue
        await guddesk.graphql(query.replace('first: 5', `first: 5, after: "${cursor}"`), {}, { key, headers })
      }
    }
    await ok(guddesk.call('GET', '/api/v1/conversations'))
  })
  const ways = Map.groupBy(reads, ({ way }) => way)
  expect([...ways.keys()].sort()).toEqual(['prepared', 'sql', 'values'])
  expect(new Set(reads.map(({ text }) => text)).size).toBeGreaterThan(12)
  for (const name of ['FROM conversations c', 'FROM visitors v', 'pg_current_snapshot', 'FROM api_keys key']) {
    expect(
      reads.some(({ text }) => text.includes(name)),
      name,
    ).toBe(true)
  }
  await expectTheSame(reads)
})

test('so does a statement with a column of every type that the tables have', async () => {
  const columns = [
    "1::int4 AS i4, 9007199254740993::int8 AS i8, 1.5::float8 AS f8, true AS yes, NULL::text AS none, 'a'::text AS word",
    "'2026-01-31 12:00:00.5+00'::timestamptz(3) AS half, '2026-01-31 12:00:00+00'::timestamptz(3) AS whole",
    `'{"a": [1, null, "x"], "b": {}}'::jsonb AS json, '{}'::jsonb AS empty_json, '[1, 2]'::jsonb AS list, 'null'::jsonb AS nil`,
    `ARRAY['a', 'b, c', '"', NULL]::text[] AS texts, '{}'::text[] AS no_texts, ARRAY[1, 2]::int4[] AS numbers`,
    `'OPEN'::"ConversationStatus" AS status, 'FULL_ACCESS'::"ApiKeyPermission" AS level, '\\x00ff'::bytea AS bytes`,
  ].join(', ')
  const text = `SELECT ${columns}, $1::text AS param, $2::text[] AS list_param, $3::timestamptz AS at, $4::text AS nothing`
  const params = ['x', ['a', 'b'], new Date('2026-01-31T12:00:00.123Z'), null]
  await expectTheSame([
    { way: 'sql', text, run: (db) => db.sql(text, params) },
    { way: 'prepared', text, run: (db) => db.prepared({ name: 'test_types', text }, params) },
    { way: 'values', text, run: (db) => db.values(text, params) },
    { way: 'values', text, run: (db) => db.values({ name: 'test_types', text }, params) },
  ])
})
