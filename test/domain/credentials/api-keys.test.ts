import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createApiKey, listApiKeys, revokeApiKey } from '../../../src/domain/credentials/api-keys.ts'
import type { Actor } from '../../../src/domain/shared/actor.ts'
import { graphql } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'

const HOUR = 3_600_000
const PAGE = { limit: 25, cursor: null }
const NOT_FOUND = { code: 'not_found' }
const FORBIDDEN = { code: 'forbidden' }

let guddesk: TestGudDesk
/** A workspace of its own for every test. */
let tenant: Tenant
let owner: Actor

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(async () => {
  await guddesk?.stop()
})

beforeEach(async () => {
  tenant = await guddesk.newTenant()
  owner = await actorOf(tenant.key)
})

const actorOf = (key: string) => guddesk.actorOf(key)

/** The status of a harmless request with a key. */
async function statusWith(key: string): Promise<number> {
  return (await guddesk.call('GET', '/api/v1/conversations?limit=1', undefined, { key })).status
}

test('a new key works, is kept as a hash, and is listed without itself', async () => {
  const { apiKey, key } = await createApiKey(guddesk.deps, owner, { name: ' CI ', permission: 'READ_ONLY' })
  expect(key).toMatch(/^gd_[A-Za-z0-9_-]{43}$/)
  expect(apiKey).toMatchObject({ name: 'CI', permission: 'READ_ONLY', prefix: key.slice(0, 8), userId: tenant.userId })
  expect(await statusWith(key)).toBe(200)
  const page = await listApiKeys(guddesk.deps, owner, PAGE)
  expect(page).toMatchObject({ nextCursor: null })
  expect(page.rows.map(({ name }) => name)).toEqual(['CI', 'FULL_ACCESS key'])
  const columns = await guddesk.deps.db.sql('SELECT * FROM api_keys WHERE id = $1', [apiKey.id])
  expect(columns).toHaveLength(1)
  expect(JSON.stringify(columns)).not.toContain(key)
})

test('a walk through the list finds every key once, and none of another workspace', async () => {
  await guddesk.newTenant()
  for (let i = 0; i < 4; i++) await createApiKey(guddesk.deps, owner, { name: `key ${i}`, permission: 'READ_ONLY' })
  const names: string[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page: Awaited<ReturnType<typeof listApiKeys>> = await listApiKeys(guddesk.deps, owner, {
      limit: 2,
      cursor: cursor ?? null,
    })
    names.push(...page.rows.map(({ name }) => name))
    cursor = page.nextCursor
  }
  expect(names.sort()).toEqual(['FULL_ACCESS key', 'key 0', 'key 1', 'key 2', 'key 3'])
})

test('a revoked key ends at once and for good', async () => {
  const { deps } = guddesk
  const { apiKey, key } = await createApiKey(deps, owner, { name: 'CI', permission: 'READ_ONLY' })
  expect(await statusWith(key)).toBe(200)
  const { revokedAt } = await revokeApiKey(deps, owner, apiKey.id)
  expect(revokedAt).toBeInstanceOf(Date)
  expect(await statusWith(key)).toBe(401)
  guddesk.clock.advance(1000)
  expect((await revokeApiKey(deps, owner, apiKey.id)).revokedAt).toEqual(revokedAt)
  expect((await listApiKeys(deps, owner, PAGE)).rows[0]).toMatchObject({ id: apiKey.id, revokedAt })
})

test('an expired key ends by itself', async () => {
  const expiresAt = new Date(guddesk.clock.now().getTime() + HOUR)
  const { key } = await createApiKey(guddesk.deps, owner, { name: 'CI', permission: 'READ_ONLY', expiresAt })
  guddesk.clock.advance(HOUR - 60_000)
  expect(await statusWith(key)).toBe(200)
  guddesk.clock.advance(60_000)
  expect(await statusWith(key)).toBe(401)
})

test('cannot be made expired', async () => {
  const input = { name: 'CI', permission: 'READ_ONLY', expiresAt: guddesk.clock.now() } as const
  await expect(createApiKey(guddesk.deps, owner, input)).rejects.toMatchObject({
    fields: [{ path: 'expiresAt', message: 'must be in the future' }],
  })
})

test('are for FULL_ACCESS and for people; another workspace’s are not found', async () => {
  const { deps } = guddesk
  const writer = await actorOf(await guddesk.newKey(tenant, 'READ_WRITE'))
  const { apiKey } = await createApiKey(deps, await actorOf((await guddesk.newTenant()).key), {
    name: 'other',
    permission: 'READ_ONLY',
  })
  await expect(createApiKey(deps, writer, { name: 'x', permission: 'READ_ONLY' })).rejects.toMatchObject(FORBIDDEN)
  await expect(listApiKeys(deps, writer, PAGE)).rejects.toMatchObject(FORBIDDEN)
  await expect(revokeApiKey(deps, writer, apiKey.id)).rejects.toMatchObject(FORBIDDEN)
  await expect(revokeApiKey(deps, owner, apiKey.id)).rejects.toMatchObject(NOT_FOUND)
  expect((await deps.db.prisma.apiKey.findUniqueOrThrow({ where: { id: apiKey.id } })).revokedAt).toBeNull()
  const bot = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/keys' }
  const installed = await guddesk.call('POST', '/api/v1/agents', bot, { key: tenant.key })
  const agent = { ...(await actorOf(installed.data.credentials.apiKey)), permission: 'FULL_ACCESS' } as const
  const nobody = { ...owner, user: null }
  await expect(revokeApiKey(deps, agent, apiKey.id)).rejects.toMatchObject(FORBIDDEN)
  await expect(createApiKey(deps, nobody, { name: 'x', permission: 'READ_ONLY' })).rejects.toMatchObject(FORBIDDEN)
})

describe('a key of all workspaces', () => {
  const CREATE =
    graphql(`mutation { createApiKey(input: { name: "All", permission: READ_ONLY, isForAllWorkspaces: true }) {
    key apiKey { id isForAllWorkspaces } error { code message }
  } }`)
  const ids = async (key: string, headers: Record<string, string>) => {
    const { data } = await guddesk.graphql(
      graphql(`{ apiKeys { edges { node { id isForAllWorkspaces } } } }`),
      {},
      { key, headers },
    )
    return data.apiKeys.edges.map(({ node }: { node: { id: string } }) => node.id)
  }

  test('is made, listed and revoked by its person, or by such a key', async () => {
    const tenant = await guddesk.newTenant()
    const headers = { 'x-workspace-id': tenant.workspaceId }
    const session = await guddesk.newSession(tenant)
    const wide = await guddesk.newKey(tenant, 'FULL_ACCESS', 'all')
    for (const key of [session, wide]) {
      const { key: made, apiKey } = (await guddesk.graphql(CREATE, {}, { key, headers })).data.createApiKey
      expect(apiKey.isForAllWorkspaces).toBe(true)
      const ask = (query: string) => guddesk.call('GET', `/api/v1/conversations${query}`, undefined, { key: made })
      expect([(await ask('')).status, (await ask(`?workspaceId=${tenant.workspaceId}`)).status]).toEqual([400, 200])
      expect(await ids(session, headers)).toContain(apiKey.id)
      expect(await ids(tenant.key, headers)).not.toContain(apiKey.id)
      const revoke = `mutation { revokeApiKey(input: { apiKeyId: "${apiKey.id}" }) { error { code } } }`
      const by = async (revoker: string) =>
        (await guddesk.graphql(revoke, {}, { key: revoker, headers })).data.revokeApiKey.error?.code
      expect(await by(tenant.key)).toBe('NOT_FOUND')
      expect(await by(key)).toBeUndefined()
      expect((await ask(`?workspaceId=${tenant.workspaceId}`)).status).toBe(401)
    }
  })

  test('is not made by a key of one workspace, and is nobody else’s to see', async () => {
    const tenant = await guddesk.newTenant()
    const refused = (await guddesk.graphql(CREATE, {}, { key: tenant.key })).data.createApiKey
    expect(refused).toMatchObject({ error: { code: 'FORBIDDEN' } })
    const headers = { 'x-workspace-id': tenant.workspaceId }
    const { apiKey } = (await guddesk.graphql(CREATE, {}, { key: await guddesk.newSession(tenant), headers })).data
      .createApiKey
    const admin = await guddesk.newSession(await guddesk.newMember(tenant, 'Ada', 'ADMIN'))
    expect(await ids(admin, headers)).not.toContain(apiKey.id)
    const node = `{ node(id: "${apiKey.id}") { id } }`
    expect((await guddesk.graphql(node, {}, { key: admin, headers })).data.node).toBeNull()
    const revoke = `mutation { revokeApiKey(input: { apiKeyId: "${apiKey.id}" }) { error { code } } }`
    expect((await guddesk.graphql(revoke, {}, { key: admin, headers })).data.revokeApiKey.error.code).toBe('NOT_FOUND')
  })
})
