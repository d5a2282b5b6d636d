import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ApiKeyPermission } from '../../../src/generated/prisma/enums.ts'
import { newApiKey, sha256 } from '../../../src/infra/secrets.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { ROUTES, send } from '../contract-routes.ts'
import { makeObjects, nextUrl, type Objects, ok } from '../objects.ts'

const LEVELS: readonly ApiKeyPermission[] = ['READ_ONLY', 'READ_WRITE', 'FULL_ACCESS']

let guddesk: TestGudDesk
let objects: Objects

beforeAll(async () => {
  guddesk = await startGudDesk()
  objects = await makeObjects(guddesk)
})

afterAll(() => guddesk?.stop())

const list = (headers: Record<string, string>) =>
  guddesk.call('GET', '/api/v1/conversations', undefined, { key: null, headers })

describe('who is let in', () => {
  test.each(ROUTES)('$name without a key is 401', async (route) => {
    const { status, error, headers } = await send(guddesk, route, objects, { key: null })
    expect(status).toBe(401)
    expect(error).toMatchObject({ code: 'unauthorized', status: 401 })
    expect(headers.get('www-authenticate')).toMatch(/^Bearer/)
  })

  test('a key in Authorization: Bearer or in x-api-key', async () => {
    const { key } = guddesk.tenant
    expect((await list({ authorization: `Bearer ${key}` })).status).toBe(200)
    expect((await list({ authorization: `bearer ${key}` })).status).toBe(200)
    expect((await list({ 'x-api-key': key })).status).toBe(200)
  })

  test('anything else is 401', async () => {
    const { key } = guddesk.tenant
    const basic = Buffer.from(`user:${key}`).toString('base64')
    const nearly = [key.slice(0, -1), `${key}A`, key.toUpperCase(), key.slice(3), `GD_${key.slice(3)}`, `${key},${key}`]
    const unknown = [newApiKey(), `gd_${'A'.repeat(43)}`, 'gd_', 'gd_null', sha256(key), key.slice(0, 8)]
    const authorizations = [key, 'Bearer', 'Bearer ', `Basic ${basic}`, `Token ${key}`, `Bearer ${key} x`, 'Bearer\t']
    const attempts: Record<string, string>[] = [
      ...[...nearly, ...unknown].flatMap((value) => [{ authorization: `Bearer ${value}` }, { 'x-api-key': value }]),
      ...authorizations.map((authorization) => ({ authorization })),
      { 'x-api-key': `Bearer ${key}` },
      { 'x-api-key': '' },
      { cookie: `key=${key}` },
    ]
    for (const headers of attempts) expect([headers, (await list(headers)).status]).toEqual([headers, 401])
    const inQuery = await guddesk.call('GET', `/api/v1/conversations?api_key=${key}`, undefined, { key: null })
    expect(inQuery.status).toBe(401)
  })

  test('a disabled, an expired and a revoked key are 401 from that moment on', async () => {
    const now = guddesk.clock.now()
    const ends = {
      disabled: { isEnabled: false },
      expired: { expiresAt: new Date(now.getTime() - 1) },
      revoked: { revokedAt: now },
    }
    for (const [end, data] of Object.entries(ends)) {
      const key = await guddesk.newKey(guddesk.tenant, 'FULL_ACCESS')
      expect((await list({ 'x-api-key': key })).status).toBe(200)
      await guddesk.deps.db.prisma.apiKey.update({ where: { hash: sha256(key) }, data })
      expect([end, (await list({ 'x-api-key': key })).status]).toEqual([end, 401])
    }
  })

  test('a key works until the moment at which it expires', async () => {
    const key = await guddesk.newKey(guddesk.tenant, 'READ_ONLY')
    const expiresAt = new Date(guddesk.clock.now().getTime() + 60_000)
    await guddesk.deps.db.prisma.apiKey.update({ where: { hash: sha256(key) }, data: { expiresAt } })
    expect((await list({ 'x-api-key': key })).status).toBe(200)
    guddesk.clock.advance(60_000)
    expect((await list({ 'x-api-key': key })).status).toBe(401)
  })
})

test('a key is gd_ and 43 base64url characters, stored as hash and prefix, and never logged', async () => {
  const body = { name: 'Keyed', webhookUrl: nextUrl() }
  const key: string = (await ok(guddesk.call('POST', '/api/v1/agents', body))).data.credentials.apiKey
  expect(key).toMatch(/^gd_[A-Za-z0-9_-]{43}$/)
  const [row] = await guddesk.deps.db.sql<{ all: string; hash: string; prefix: string }>(
    'SELECT hash, prefix, to_jsonb(k)::text AS all FROM api_keys k WHERE hash = $1',
    [sha256(key)],
  )
  expect(row?.prefix).toBe(key.slice(0, 8))
  expect(row?.all).not.toContain(key.slice(8))
  await ok(guddesk.call('GET', '/api/v1/conversations', undefined, { key }))
  expect(JSON.stringify(guddesk.logs)).not.toContain(key.slice(8))
})

describe('permission levels', () => {
  test.each(LEVELS)('%s opens what it contains and nothing above', async (level) => {
    const key = await guddesk.newKey(guddesk.tenant, level)
    const own = await makeObjects(guddesk)
    const outcome: Record<string, string> = {}
    const expected: Record<string, string> = {}
    for (const route of ROUTES) {
      const { status, error } = await send(guddesk, route, own, { key })
      outcome[route.name] = status < 300 ? 'allowed' : `${status} ${error.code}`
      expected[route.name] = LEVELS.indexOf(level) >= LEVELS.indexOf(route.needs) ? 'allowed' : '403 forbidden'
    }
    expect(outcome).toEqual(expected)
  })

  test("are capped by the user's role in the workspace", async () => {
    const caps = { VIEWER: 'READ_ONLY', AGENT: 'READ_WRITE', ADMIN: 'FULL_ACCESS', OWNER: 'FULL_ACCESS' } as const
    for (const [role, cap] of Object.entries(caps)) {
      const owner = await guddesk.newTenant()
      const own = await makeObjects(guddesk, owner)
      const { userId, memberId } = await guddesk.newMember(owner, 'Capped', role as keyof typeof caps)
      const capped: Tenant = { ...owner, userId, memberId }
      for (const scope of ['workspace', 'all'] as const) {
        const key = await guddesk.newKey(capped, 'FULL_ACCESS', scope)
        for (const route of ROUTES.filter(({ name }) => !name.startsWith('DELETE'))) {
          const query = `?workspaceId=${owner.workspaceId}`
          const { status } = await send(guddesk, route, own, { key, query })
          const isAllowed = LEVELS.indexOf(cap) >= LEVELS.indexOf(route.needs)
          expect([role, scope, route.name, status < 300 ? 'allowed' : status]).toEqual([
            role,
            scope,
            route.name,
            isAllowed ? 'allowed' : 403,
          ])
        }
      }
    }
  })

  test('a role does not raise a key', async () => {
    const key = await guddesk.newKey(guddesk.tenant, 'READ_ONLY')
    const { status } = await guddesk.call('POST', '/api/v1/customers', { name: 'No' }, { key })
    expect(status).toBe(403)
  })
})

describe('a workspace-scoped key whose user has left the workspace', () => {
  let left: Tenant
  let own: Objects

  beforeAll(async () => {
    const owner = await guddesk.newTenant()
    own = await makeObjects(guddesk, owner)
    const member = await guddesk.newMember(owner, 'Leaver', 'ADMIN')
    const leaver = { ...owner, ...member }
    left = { ...leaver, key: await guddesk.newKey(leaver, 'FULL_ACCESS') }
    expect((await guddesk.call('GET', '/api/v1/conversations', undefined, { key: left.key })).status).toBe(200)
    await guddesk.deps.db.prisma.member.delete({ where: { id: member.memberId } })
  })

  test.each(ROUTES)('$name is 401', async (route) => {
    expect((await send(guddesk, route, own, { key: left.key })).status).toBe(401)
  })
})
