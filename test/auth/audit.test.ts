import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recordAudit, systemAuditor } from '../../src/domain/audit/audit.ts'
import { inTransaction } from '../../src/infra/database/transaction.ts'
import { graphql } from '../support/graphql.ts'
import { type Call, startGudDesk, type Tenant, type TestGudDesk } from '../support/guddesk.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { TRUST_PROXY: '1', GUDDESK_ROLES: 'api' } })
})

afterAll(() => guddesk?.stop())

const ENTRIES = graphql(`query ($filter: AuditEntryFilter, $first: Int, $after: String) {
  auditEntries(filter: $filter, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    edges { node {
      id action actor { __typename id displayName } userId targetType targetId targetName address userAgent data createdAt
    } }
  }
}`)

interface Entry {
  readonly id: string
  readonly action: string
  readonly targetId: string
  readonly createdAt: string
}

async function entries(tenant: Tenant, filter: object = {}, page: object = {}): Promise<Entry[]> {
  const { data, body } = await guddesk.graphql(ENTRIES, { filter, ...page }, { key: tenant.key })
  expect(body.errors).toBeUndefined()
  return data.auditEntries.edges.map(({ node }: { node: Entry }) => node)
}

const actions = (found: Entry[]) => found.map(({ action }) => action)

async function mutate(
  call: Call,
  name: string,
  input: string,
  selection = 'error { code }',
): Promise<Record<string, never>> {
  const { body } = await guddesk.graphql(`mutation { ${name}(input: { ${input} }) { ${selection} } }`, {}, call)
  expect(body.errors).toBeUndefined()
  return body.data[name]
}

test('an entry says who did what to what, when and from where', async () => {
  const tenant = await guddesk.newTenant()
  const from = { 'x-forwarded-for': '6.6.6.6, 198.51.100.4', 'user-agent': 'Tool/1.0' }
  const made = await mutate(
    { key: tenant.key, headers: from },
    'createApiKey',
    'name: "Export", permission: READ_ONLY',
    'key apiKey { id }',
  )
  const { key, apiKey } = made as unknown as { key: string; apiKey: { id: string } }
  const { id: actorId } = await guddesk.deps.db.prisma.apiKey.findFirstOrThrow({
    where: { workspaceId: tenant.workspaceId, permission: 'FULL_ACCESS' },
  })
  const found = await entries(tenant)
  expect(found).toEqual([
    {
      id: expect.stringMatching(/^aud_/),
      action: 'API_KEY_CREATED',
      actor: { __typename: 'ApiKey', id: actorId, displayName: 'FULL_ACCESS key' },
      userId: tenant.userId,
      targetType: 'API_KEY',
      targetId: apiKey.id,
      targetName: 'Export',
      address: '198.51.100.4',
      userAgent: 'Tool/1.0',
      data: { permission: 'READ_ONLY', allWorkspaces: false },
      createdAt: expect.any(String),
    },
  ])
  expect(JSON.stringify(found)).not.toContain(key)
})

test('a WebSocket client does not say itself where it comes from', async () => {
  const { createClient } = await import('graphql-ws')
  const { WebSocket } = await import('ws')
  const tenant = await guddesk.newTenant()
  const client = createClient({
    url: `${guddesk.origin.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${tenant.key}`, 'X-Forwarded-For': '6.6.6.6', 'user-agent': 'Fake' },
  })
  const query = graphql(`mutation { createApiKey(input: { name: "K", permission: READ_ONLY }) { __typename } }`)
  for await (const result of client.iterate({ query })) expect(result.errors).toBeUndefined()
  await client.dispose()
  expect(await entries(tenant)).toMatchObject([{ address: '127.0.0.1', userAgent: null }])
})

describe('what is recorded', () => {
  test('of API keys: making one, and revoking it once', async () => {
    const tenant = await guddesk.newTenant()
    await mutate(tenant, 'createApiKey', 'name: "K", permission: READ_ONLY')
    const [created] = await entries(tenant)
    for (let i = 0; i < 2; i++) await mutate(tenant, 'revokeApiKey', `apiKeyId: "${created?.targetId}"`)
    expect(actions(await entries(tenant))).toEqual(['API_KEY_REVOKED', 'API_KEY_CREATED'])
  })

  test('of agents: installing, changing, disabling, enabling and uninstalling', async () => {
    const tenant = await guddesk.newTenant()
    const rest = (method: string, path: string, body?: object) => guddesk.call(method, path, body, tenant)
    const bot = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/audit' }
    const { data } = await rest('POST', '/api/v1/agents', bot)
    const path = `/api/v1/agents/${data.id}`
    await rest('PATCH', path, { priority: 2, events: { onConversationClosed: true } })
    await rest('PATCH', path, { isEnabled: false })
    await rest('PATCH', path, { isEnabled: false })
    await rest('PATCH', path, { isEnabled: true, name: 'Bot 2' })
    await rest('DELETE', path)
    const found = await entries(tenant)
    expect(actions(found)).toEqual([
      'AGENT_UNINSTALLED',
      'AGENT_ENABLED',
      'AGENT_UPDATED',
      'AGENT_DISABLED',
      'AGENT_UPDATED',
      'AGENT_INSTALLED',
    ])
    expect(new Set(found.map(({ targetId }) => targetId))).toEqual(new Set([data.id]))
    expect(found[0]).toMatchObject({ targetName: 'Bot 2' })
    expect(found[4]).toMatchObject({ data: { changed: ['priority', 'events'] } })
    expect(JSON.stringify(found)).not.toContain(data.credentials.apiKey)
    expect(JSON.stringify(found)).not.toContain(data.credentials.webhookSecret)
  })

  test('of members: a new role, and removing', async () => {
    const tenant = await guddesk.newTenant()
    const { memberId } = await guddesk.newMember(tenant, 'Ann', 'AGENT')
    for (let i = 0; i < 2; i++) await mutate(tenant, 'changeMemberRole', `memberId: "${memberId}", role: VIEWER`)
    await mutate(tenant, 'removeMember', `memberId: "${memberId}"`)
    expect(await entries(tenant)).toMatchObject([
      { action: 'MEMBER_REMOVED', targetName: 'Ann', data: { role: 'VIEWER' } },
      { action: 'MEMBER_ROLE_CHANGED', targetId: memberId, data: { from: 'AGENT', to: 'VIEWER' } },
    ])
  })

  test('nothing of what is refused', async () => {
    const tenant = await guddesk.newTenant()
    await mutate(tenant, 'revokeApiKey', 'apiKeyId: "key_00000000000000000000000000"')
    await mutate(tenant, 'removeMember', `memberId: "${tenant.memberId}"`)
    const url = 'http://127.0.0.1:9/audit-taken'
    await guddesk.call('POST', '/api/v1/agents', { name: 'A', webhookUrl: url }, tenant)
    await guddesk.call('POST', '/api/v1/agents', { name: 'B', webhookUrl: url }, tenant)
    await guddesk.call('DELETE', '/api/v1/agents/agt_00000000000000000000000000', undefined, tenant)
    expect(actions(await entries(tenant))).toEqual(['AGENT_INSTALLED'])
  })

  test('one uninstalling of several at once', async () => {
    const tenant = await guddesk.newTenant()
    const bot = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/audit-race' }
    const { data } = await guddesk.call('POST', '/api/v1/agents', bot, tenant)
    const remove = () => guddesk.call('DELETE', `/api/v1/agents/${data.id}`, undefined, tenant)
    const statuses = await Promise.all([remove(), remove(), remove()].map(async (answer) => (await answer).status))
    expect(statuses.sort()).toEqual([200, 404, 404])
    expect(actions(await entries(tenant))).toEqual(['AGENT_UNINSTALLED', 'AGENT_INSTALLED'])
  })
})

describe('the list', () => {
  test('is filtered by every condition, and walked in pages', async () => {
    const tenant = await guddesk.newTenant()
    const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second))
    await inTransaction(guddesk.deps, async (tx) => {
      for (let i = 0; i < 7; i++) {
        const target = { type: 'agent', id: `agt_${i % 2}` } as const
        const action = i < 5 ? 'agent.updated' : 'agent.disabled'
        const actor = { ...systemAuditor(tenant.workspaceId), id: `system-${i % 3}` }
        await recordAudit(tx, actor, { action, target, at: at(i) })
      }
    })
    const seconds = async (filter: object) =>
      (await entries(tenant, filter)).map(({ createdAt }) => new Date(createdAt).getUTCSeconds())
    expect(await seconds({})).toEqual([6, 5, 4, 3, 2, 1, 0])
    expect(await seconds({ action: 'AGENT_DISABLED' })).toEqual([6, 5])
    expect(await seconds({ actorId: 'system-1' })).toEqual([4, 1])
    expect(await seconds({ targetId: 'agt_1' })).toEqual([5, 3, 1])
    expect(await seconds({ createdAt: { from: at(3), to: at(5) } })).toEqual([4, 3])
    expect(await seconds({ action: 'AGENT_UPDATED', targetId: 'agt_0', actorId: 'system-0' })).toEqual([0])
    const walked: string[] = []
    for (let after: string | null = null; ; ) {
      const { data } = await guddesk.graphql(ENTRIES, { first: 3, after, filter: { action: 'AGENT_UPDATED' } }, tenant)
      walked.push(...data.auditEntries.edges.map(({ node }: { node: Entry }) => node.id))
      expect(data.auditEntries.totalCount).toBe(5)
      if (!data.auditEntries.pageInfo.hasNextPage) break
      after = data.auditEntries.pageInfo.endCursor
    }
    expect(walked).toHaveLength(5)
    expect(new Set(walked).size).toBe(5)
  })

  test('has nothing of other workspaces', async () => {
    const [one, two] = [await guddesk.newTenant(), await guddesk.newTenant()]
    await mutate(two, 'createApiKey', 'name: "K", permission: READ_ONLY')
    expect(await entries(one)).toEqual([])
    expect(await entries(two)).toHaveLength(1)
  })
})

describe('the table', () => {
  const refused = (sql: string, params: unknown[] = []) =>
    expect(guddesk.deps.db.sql(sql, params)).rejects.toThrow('append-only')

  test('refuses changes', async () => {
    const tenant = await guddesk.newTenant()
    await mutate(tenant, 'createApiKey', 'name: "K", permission: READ_ONLY')
    const where = [tenant.workspaceId]
    await refused("UPDATE audit_entries SET actor_name = 'x' WHERE workspace_id = $1", where)
    await refused('UPDATE audit_entries SET workspace_id = NULL WHERE workspace_id = $1', where)
    await refused('DELETE FROM audit_entries WHERE workspace_id = $1', where)
    await refused('TRUNCATE audit_entries')
    expect(await entries(tenant)).toHaveLength(1)
  })

  test('keeps what belongs to no workspace', async () => {
    const target = { type: 'user', id: 'usr_1' } as const
    await inTransaction(guddesk.deps, (tx) =>
      recordAudit(tx, systemAuditor(null), { action: 'session.failed', target, at: new Date() }),
    )
    await refused('DELETE FROM audit_entries WHERE workspace_id IS NULL')
  })

  test('lets entries go with their workspace, and with it only', async () => {
    const tenant = await guddesk.newTenant()
    const other = await guddesk.newTenant()
    for (const one of [tenant, other]) await mutate(one, 'createApiKey', 'name: "K", permission: READ_ONLY')
    const { auditEntry, workspace } = guddesk.deps.db.prisma
    await workspace.delete({ where: { id: tenant.workspaceId } })
    expect(await auditEntry.count({ where: { workspaceId: tenant.workspaceId } })).toBe(0)
    expect(await entries(other)).toHaveLength(1)
  })

  test('has no entry of a transaction that failed', async () => {
    const tenant = await guddesk.newTenant()
    const target = { type: 'agent', id: 'agt_1' } as const
    const failing = inTransaction(guddesk.deps, async (tx) => {
      await recordAudit(tx, systemAuditor(tenant.workspaceId), { action: 'agent.updated', target, at: new Date() })
      throw new Error('given up')
    })
    await expect(failing).rejects.toThrow('given up')
    expect(await entries(tenant)).toEqual([])
  })
})
