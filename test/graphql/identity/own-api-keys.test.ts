import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { MemberRole } from '../../../src/generated/prisma/enums.ts'
import { graphql, payload, type VariablesOf } from '../../support/graphql.ts'
import { type Call, startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'

let guddesk: TestGudDesk
let tenant: Tenant
let owner: Call

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})
afterAll(() => guddesk?.stop())
beforeEach(async () => {
  tenant = await guddesk.newTenant()
  owner = await signIn(tenant.userId)
})

/** A session's credential, in the tenant's workspace. */
async function signIn(userId: string): Promise<Call> {
  const password = 'correct horse battery'
  await guddesk.setPassword({ userId }, password)
  const credentials = { email: `${userId}@example.com`, password }
  const { data } = await guddesk.call('POST', '/api/auth/sign-in/email', credentials, { key: null })
  return { key: data.token, headers: { 'x-workspace-id': tenant.workspaceId } }
}

async function person(role: MemberRole): Promise<{ userId: string; memberId: string; as: Call }> {
  const member = await guddesk.newMember(tenant, role, role)
  return { ...member, as: await signIn(member.userId) }
}

const CREATE = graphql(`mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
  key apiKey { id name prefix isForAllWorkspaces permission expiresAt lastUsedAt }
  error { code message }
} }`)
const REVOKE = graphql(`mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) {
  apiKey { revokedAt }
  error { code }
} }`)
const OWN = graphql(`{ ownApiKeys { totalCount edges { node { name isForAllWorkspaces } } } }`)
const NODE = graphql(`query ($id: ID!) { node(id: $id) { id } }`)

async function create(input: Partial<VariablesOf<typeof CREATE>['input']>, as: Call) {
  const wanted = { name: 'CI', permission: 'FULL_ACCESS' as const, ...input }
  return (await guddesk.query(CREATE, { input: wanted }, as)).createApiKey
}

async function own(as: Call) {
  const { totalCount, edges } = (await guddesk.query(OWN, {}, as)).ownApiKeys
  expect(totalCount).toBe(edges.length)
  return edges.map(({ node }) => node)
}

const revoke = async (apiKeyId: string, as: Call) =>
  (await guddesk.query(REVOKE, { input: { apiKeyId } }, as)).revokeApiKey

const visible = async (id: string, as: Call) => (await guddesk.query(NODE, { id }, as)).node !== null
const workspaceOf = async (key: string, workspaceId?: string) => {
  const headers = workspaceId === undefined ? {} : { 'x-workspace-id': workspaceId }
  const { body } = await guddesk.graphql(graphql(`{ workspace { id } }`), {}, { key, headers })
  return body.data?.workspace?.id ?? body.errors[0].extensions.code
}
const keyId = async (userId: string) =>
  (await guddesk.deps.db.prisma.apiKey.findFirstOrThrow({ where: { userId, agentId: null } })).id

describe('an all-workspaces key', () => {
  test('is made by who is signed in, works where they are a member, and needs a named workspace', async () => {
    const second = await guddesk.newTenant()
    await guddesk.deps.db.prisma.member.create({
      data: { id: 'mem_second', workspaceId: second.workspaceId, userId: tenant.userId, role: 'VIEWER' },
    })
    const { key, apiKey } = payload(await create({ isForAllWorkspaces: true }, owner))
    expect(apiKey).toMatchObject({ name: 'CI', isForAllWorkspaces: true, prefix: key.slice(0, 8), lastUsedAt: null })
    for (const { workspaceId } of [tenant, second]) expect(await workspaceOf(key, workspaceId)).toBe(workspaceId)
    expect(await workspaceOf(key)).toBe('bad_request')
    expect(await workspaceOf(key, guddesk.tenant.workspaceId)).toBe('forbidden')
    // Its user is a viewer there, so it only looks.
    const there = { key, headers: { 'x-workspace-id': second.workspaceId } }
    expect(await create({}, there)).toMatchObject({ error: { code: 'FORBIDDEN' } })
  })

  test('is made by another one, not by a key for one workspace, and not below FULL_ACCESS', async () => {
    const { key } = payload(await create({ isForAllWorkspaces: true }, owner))
    const all = { key, headers: { 'x-workspace-id': tenant.workspaceId } }
    expect(await create({ isForAllWorkspaces: true, name: 'Second' }, all)).toMatchObject({
      apiKey: { name: 'Second' },
    })
    expect(await create({ isForAllWorkspaces: true }, { key: tenant.key })).toMatchObject({
      error: { code: 'FORBIDDEN' },
    })
    const { as } = await person('AGENT')
    expect(await create({ isForAllWorkspaces: true }, as)).toMatchObject({ error: { code: 'FORBIDDEN' } })
    expect(await guddesk.deps.db.prisma.apiKey.count({ where: { workspaceId: null, userId: tenant.userId } })).toBe(2)
  })

  test('is for one workspace when nothing is said', async () => {
    for (const input of [{}, { isForAllWorkspaces: null }])
      expect(payload(await create(input, owner)).apiKey.isForAllWorkspaces).toBe(false)
  })
})

describe('own keys', () => {
  test("are a person's here and for all workspaces, nobody else's, no agent's, none of another workspace", async () => {
    await create({ name: 'Here' }, owner)
    await create({ name: 'All', isForAllWorkspaces: true }, owner)
    const agent = await guddesk.call(
      'POST',
      '/api/v1/agents',
      { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/own' },
      { key: tenant.key },
    )
    const other = await guddesk.newTenant()
    await guddesk.newKey({ ...other, userId: tenant.userId }, 'READ_ONLY')
    const viewer = await person('VIEWER')
    await guddesk.newKey({ ...tenant, ...viewer }, 'READ_ONLY')
    const mine = [
      { name: 'All', isForAllWorkspaces: true },
      { name: 'Here', isForAllWorkspaces: false },
      { name: 'FULL_ACCESS key', isForAllWorkspaces: false },
    ]
    expect(await own(owner)).toEqual(mine)
    expect(await own(viewer.as)).toEqual([{ name: 'READ_ONLY key', isForAllWorkspaces: false }])
    // A key for one workspace does not look further.
    expect(await own({ key: tenant.key })).toEqual(mine.slice(1))
    for (const key of [agent.data.credentials.apiKey, await guddesk.newKey(tenant, 'READ_WRITE')]) {
      const { body } = await guddesk.graphql(OWN, {}, { key })
      expect(body.errors).toMatchObject([{ extensions: { code: 'forbidden' } }])
    }
  })

  test('are found by id and revoked by a person of any role; others are not there', async () => {
    const viewer = await person('VIEWER')
    const key = await guddesk.newKey({ ...tenant, ...viewer }, 'READ_ONLY')
    const id = await keyId(viewer.userId)
    const owners = await keyId(tenant.userId)
    expect([await visible(id, viewer.as), await visible(owners, viewer.as)]).toEqual([true, false])
    expect(await revoke(owners, viewer.as)).toMatchObject({ error: { code: 'NOT_FOUND' } })
    expect(await workspaceOf(key)).toBe(tenant.workspaceId)
    const { apiKey } = payload(await revoke(id, viewer.as))
    expect(apiKey.revokedAt).toEqual(expect.any(String))
    expect(await workspaceOf(key)).toBe('unauthorized')
    expect(payload(await revoke(id, viewer.as)).apiKey).toEqual(apiKey)
    const where = { targetId: id, action: 'api_key.revoked' }
    expect(await guddesk.deps.db.prisma.auditEntry.findMany({ where })).toMatchObject([{ actorId: viewer.memberId }])
  })

  test('for all workspaces are revoked by their person, not by a key for one workspace or by other admins', async () => {
    const { apiKey, key } = payload(await create({ isForAllWorkspaces: true }, owner))
    const admin = await person('ADMIN')
    for (const as of [{ key: tenant.key }, admin.as]) {
      expect(await revoke(apiKey.id, as)).toMatchObject({ error: { code: 'NOT_FOUND' } })
      expect(await visible(apiKey.id, as)).toBe(false)
    }
    expect(await visible(apiKey.id, owner)).toBe(true)
    expect(await workspaceOf(key, tenant.workspaceId)).toBe(tenant.workspaceId)
    await revoke(apiKey.id, owner)
    expect(await workspaceOf(key, tenant.workspaceId)).toBe('unauthorized')
  })
})
