import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { nextUrl, ok } from '../objects.ts'
import { idsOf, walk } from '../walk.ts'

const CUSTOMERS = 130

let guddesk: TestGudDesk
let conversationId: string
/** Each list, with how many rows it has. */
let lists: Record<string, { path: string; key: string; total: number }>

beforeAll(async () => {
  guddesk = await startGudDesk()
  const { prisma } = guddesk.deps.db
  const { tenant } = guddesk
  const { workspaceId } = tenant
  conversationId = await guddesk.newConversation(tenant, 'First')
  const createdAt = new Date('2026-01-01T00:00:00.000Z')
  // Half of them at one and the same instant: the time alone cannot tell where a page ends.
  const at = (i: number) => new Date(createdAt.getTime() + (i % 2 === 0 ? 0 : i))
  await prisma.visitor.createMany({
    data: Array.from({ length: CUSTOMERS - 1 }, (_, i) => ({ id: newId('visitor'), workspaceId, createdAt: at(i) })),
  })
  const tenants: Tenant[] = [tenant]
  for (let i = 0; i < 11; i++) {
    await ok(guddesk.call('POST', '/api/v1/agents', { name: `Agent ${i}`, webhookUrl: nextUrl() }))
    await ok(guddesk.call('POST', `/api/v1/conversations/${conversationId}/messages`, { body: `Message ${i}` }))
    const other = await guddesk.newTenant()
    await prisma.member.create({
      data: { id: newId('member'), workspaceId: other.workspaceId, userId: tenant.userId, role: 'AGENT' },
    })
    tenants.push(other)
    const visitor = await guddesk.call('GET', '/api/v1/customers?limit=1')
    await ok(guddesk.call('POST', '/api/v1/conversations', { visitorId: visitor.data[0].id }))
  }
  const everywhere = await guddesk.newKey(tenant, 'FULL_ACCESS', 'all')
  const { key } = tenant
  lists = {
    workspaces: { path: '/api/v1/workspaces', key: everywhere, total: 12 },
    conversations: { path: '/api/v1/conversations', key, total: 12 },
    messages: { path: `/api/v1/conversations/${conversationId}/messages`, key, total: 12 },
    customers: { path: '/api/v1/customers', key, total: CUSTOMERS },
    agents: { path: '/api/v1/agents', key, total: 11 },
    'webhook endpoints': { path: '/api/agent/webhooks', key, total: 11 },
  }
})

afterAll(() => guddesk?.stop())

const NAMES = ['workspaces', 'conversations', 'messages', 'customers', 'agents', 'webhook endpoints'] as const

function listOf(name: (typeof NAMES)[number]) {
  const list = lists[name]
  if (list === undefined) throw new Error(name)
  return list
}

describe('limit', () => {
  test.each([
    ['', 25],
    ['?limit=', 25],
    ['?limit=abc', 25],
    ['?limit=10x', 25],
    ['?limit=NaN', 25],
    ['?limit=%00', 25],
    ['?limit=0', 25],
    ['?limit=-1', 25],
    ['?limit=-9999999999999999999999', 25],
    ['?limit=1', 1],
    ['?limit=7', 7],
    ['?limit=99', 99],
    ['?limit=100', 100],
    ['?limit=101', 100],
    ['?limit=999999999999999999999999', 100],
  ])('"%s" gives %i rows', async (query, expected) => {
    const { status, data, body } = await guddesk.call('GET', `/api/v1/customers${query}`)
    expect(status).toBe(200)
    expect(data).toHaveLength(expected)
    expect(body.meta).toMatchObject({ perPage: expected, total: CUSTOMERS, nextCursor: expect.any(String) })
  })
})

describe('a walk', () => {
  test.each(NAMES)('through all %s sees each row once, in the order of one page', async (name) => {
    const { path, key, total } = listOf(name)
    const whole = await walk(guddesk, path, { key, limit: 100 })
    expect(whole).toHaveLength(total)
    for (const limit of [1, 5, total - 1, total].filter((size) => size <= 100 && total / size <= 30)) {
      const rows = await walk(guddesk, path, { key, limit })
      expect(idsOf(rows)).toEqual(idsOf(whole))
    }
    expect(new Set(idsOf(whole)).size).toBe(total)
  })

  test.each(NAMES)('of %s has the total on every page and no cursor on the last', async (name) => {
    const { path, key, total } = listOf(name)
    const limit = Math.ceil(total / 2)
    const first = await guddesk.call('GET', `${path}?limit=${limit}`, undefined, { key })
    expect(first.body.meta).toMatchObject({ perPage: limit, total, cursor: first.body.meta.nextCursor })
    const cursor = encodeURIComponent(first.body.meta.nextCursor)
    const last = await guddesk.call('GET', `${path}?limit=${limit}&cursor=${cursor}`, undefined, { key })
    expect(last.body.meta).toEqual({ perPage: limit, total, nextCursor: null, cursor: null })
    expect(first.data.length + last.data.length).toBe(total)
  })

  test('with a filter keeps to it and counts what it keeps', async () => {
    const { path, key } = listOf('conversations')
    for (const id of idsOf((await walk(guddesk, path, { key, limit: 100 })).slice(0, 5))) {
      await ok(guddesk.call('PATCH', `${path}/${id}`, { tags: ['kept'] }))
    }
    const first = await guddesk.call('GET', `${path}?tag=kept&limit=2`)
    expect(first.body.meta.total).toBe(5)
    expect(await walk(guddesk, `${path}?tag=kept`, { key, limit: 2 })).toHaveLength(5)
  })

  test('an empty list is a page too', async () => {
    const { key } = await guddesk.newTenant()
    const { status, body } = await guddesk.call('GET', '/api/v1/customers', undefined, { key })
    expect(status).toBe(200)
    expect(body).toEqual({ data: [], meta: { perPage: 25, total: 0, nextCursor: null, cursor: null } })
  })
})
