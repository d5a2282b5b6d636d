import { describe, expect, test } from 'vitest'
import { authenticateKey } from '../../../src/auth/api-key.ts'
import { updateWorkspace } from '../../../src/domain/identity/workspaces.ts'
import { drainRemovals } from '../../../src/domain/maintenance/drain-removals.ts'
import { newId } from '../../../src/domain/shared/ids.ts'
import { ok } from '../../rest/objects.ts'
import { graphql, payload } from '../../support/graphql.ts'
import { makeConversations, makeDeliveries } from '../../support/heavy/heavy-rows.ts'
import { CONVERSATIONS, call, count, guddesk, register, tenant, useTenant } from './drain-steps.ts'

useTenant()

const NEW_WORKSPACE = graphql(`mutation ($input: CreateWorkspaceInput!) { createWorkspace(input: $input) {
  workspace { id slug } error { code message }
} }`)

describe('a workspace with many conversations and deliveries', { timeout: 120_000 }, () => {
  async function fill(): Promise<void> {
    const visitorId = await guddesk.newVisitor(tenant)
    await makeConversations(guddesk.deps.db, { ...tenant, visitorId }, CONVERSATIONS)
    const endpoint = await register()
    await makeDeliveries(guddesk.deps.db, { ...tenant, endpointId: endpoint.id }, CONVERSATIONS)
    await ok(call('POST', '/api/v1/articles', { title: 'Article' }))
  }

  const remove = () => call('DELETE', `/api/v1/workspaces/${tenant.workspaceId}`)

  test('is closed from the answer on, and its slug free; then nothing is left of it', async () => {
    await fill()
    const everywhere = await guddesk.newKey(tenant, 'FULL_ACCESS', 'all')
    const slug = `gone-${tenant.workspaceId.slice(-8)}`
    await ok(call('PATCH', `/api/v1/workspaces/${tenant.workspaceId}`, { slug }))
    expect((await remove()).status).toBe(200)
    expect((await call('GET', '/api/v1/conversations')).status).toBe(401)
    expect((await call('GET', '/api/v1/workspaces', undefined, everywhere)).data).toEqual([])
    expect((await call('GET', `/api/v1/workspaces/${tenant.workspaceId}`, undefined, everywhere)).status).toBe(404)
    const created = await guddesk.query(NEW_WORKSPACE, { input: { name: 'Again', slug } }, { key: everywhere })
    expect(payload(created.createWorkspace).workspace.slug).toBe(slug)
    expect(await count('conversations', 'workspace_id = $1', tenant.workspaceId)).toBe(CONVERSATIONS)

    await drainRemovals(guddesk.deps)
    const tables = await guddesk.deps.db.sql<{ table: string }>(
      `SELECT table_name AS table FROM information_schema.columns
        WHERE column_name = 'workspace_id' AND table_schema = 'public'`,
    )
    expect(tables.length).toBeGreaterThan(12)
    for (const { table } of tables) {
      expect([table, await count(table, 'workspace_id = $1', tenant.workspaceId)]).toEqual([table, 0])
    }
    expect(await count('workspaces', 'id = $1', tenant.workspaceId)).toBe(0)
    expect(await count('audit_entries', `action = 'workspace.deleted' AND target_id = $1`, tenant.workspaceId)).toBe(1)
  })

  test('takes no slug any more, whoever was let in before', async () => {
    const deps = guddesk.deps
    const actor = await (await authenticateKey(deps, tenant.key)).actorIn(undefined)
    expect((await remove()).status).toBe(200)
    const slug = `late-${tenant.workspaceId.slice(-8)}`
    await expect(updateWorkspace(deps, actor, { slug })).rejects.toMatchObject({ code: 'not_found' })
    expect(await count('workspaces', 'slug = $1', slug)).toBe(0)
    await drainRemovals(deps)
  })

  test('nobody gets into it meanwhile, and no other workspace’s audit log can be deleted', async () => {
    expect((await remove()).status).toBe(200)
    const { prisma } = guddesk.deps.db
    const { workspaceId, userId } = tenant
    const refused = { code: 'P2003' }
    const member = { id: newId('member'), workspaceId, userId, role: 'OWNER' as const }
    await expect(prisma.member.create({ data: member })).rejects.toMatchObject(refused)
    const key = { id: newId('apiKey'), workspaceId, userId, name: 'k', prefix: 'gd_12345', hash: newId('apiKey') }
    await expect(prisma.apiKey.create({ data: { ...key, permission: 'FULL_ACCESS' } })).rejects.toMatchObject(refused)
    const other = await guddesk.newTenant()
    await ok(call('PATCH', `/api/v1/workspaces/${other.workspaceId}`, { name: 'Other' }, other.key))
    const deleting = guddesk.deps.db.sql('DELETE FROM audit_entries WHERE workspace_id = $1', [other.workspaceId])
    await expect(deleting).rejects.toThrow('append-only')
    await drainRemovals(guddesk.deps)
  })
})
