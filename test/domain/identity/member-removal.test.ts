import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { sha256 } from '../../../src/infra/secrets.ts'
import { nextUrl, ok } from '../../rest/objects.ts'
import { graphql, payload } from '../../support/graphql.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'

let guddesk: TestGudDesk
let tenant: Tenant
let leaver: Tenant
let session: string

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})
afterAll(() => guddesk?.stop())

beforeEach(async () => {
  tenant = await guddesk.newTenant()
  const person = await guddesk.newMember(tenant, 'Lea Leaver', 'ADMIN')
  leaver = { ...tenant, ...person }
  leaver = { ...leaver, key: await guddesk.newKey(leaver, 'FULL_ACCESS') }
  session = await guddesk.newSession(leaver)
})

const REMOVAL = graphql(`query ($id: ID!) {
  memberRemoval(id: $id) { agentNames agentCount webhookUrls apiKeyNames invitedEmails }
}`)
const REMOVE = graphql(`mutation ($input: RemoveMemberInput!) { removeMember(input: $input) {
  deletedId removal { agentNames agentCount webhookUrls apiKeyNames invitedEmails }
  error { code message }
} }`)
const INSTALLER = graphql(`query ($id: ID!) { node(id: $id) {
  __typename
  ... on Agent { installer { name actor { __typename displayName } hasLeft hasKeyEnded } }
} }`)
const INVITE = graphql(`mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { error { code } } }`)
const REVOKE = graphql(`mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { error { code } } }`)

async function install(key: string, name = 'Made by Lea'): Promise<{ id: string; url: string; key: string }> {
  const url = nextUrl()
  const { data } = await ok(guddesk.call('POST', '/api/v1/agents', { name, webhookUrl: url }, { key }))
  return { id: data.id, url, key: data.credentials.apiKey }
}

async function installer(id: string) {
  const { node } = await guddesk.query(INSTALLER, { id }, { key: tenant.key })
  return node?.__typename === 'Agent' ? node.installer : undefined
}

const statusWith = async (key: string) =>
  (await guddesk.call('GET', '/api/v1/conversations?limit=1', undefined, { key })).status
const remove = async (endAccess?: boolean) => {
  const input = { memberId: leaver.memberId, ...(endAccess !== undefined && { endAccess }) }
  return payload((await guddesk.query(REMOVE, { input }, { key: tenant.key })).removeMember)
}
const logged = async (...actions: string[]) => {
  const where = { workspaceId: tenant.workspaceId, action: { in: actions } }
  const entries = await guddesk.deps.db.prisma.auditEntry.findMany({ where, orderBy: { id: 'asc' } })
  return entries.map(({ action, targetId, data }) => ({ action, targetId, data }))
}

describe('what a leaving member made', () => {
  async function makeAll() {
    const agent = await install(leaver.key)
    const others = await install(tenant.key, 'Made by the owner')
    const url = nextUrl()
    await ok(guddesk.call('POST', '/api/agent/webhooks', { url }, { key: leaver.key }))
    await ok(guddesk.call('POST', '/api/agent/webhooks', { url: nextUrl() }, { key: tenant.key }))
    await guddesk.query(INVITE, { input: { email: 'friend@example.com', role: 'ADMIN' } }, { key: leaver.key })
    await guddesk.query(INVITE, { input: { email: 'other@example.com', role: 'AGENT' } }, { key: tenant.key })
    const made = {
      agentNames: ['Made by Lea'],
      agentCount: 1,
      webhookUrls: [url],
      apiKeyNames: ['FULL_ACCESS key'],
      invitedEmails: ['friend@example.com'],
    }
    return { agent, others, made }
  }

  test('is listed, ended in one step, and recorded; what others made stays', async () => {
    const { agent, others, made } = await makeAll()
    const { prisma } = guddesk.deps.db
    const asked = await guddesk.query(REMOVAL, { id: leaver.memberId }, { key: tenant.key })
    expect(asked.memberRemoval).toEqual(made)
    expect(await remove(true)).toMatchObject({ deletedId: leaver.memberId, removal: made })
    expect([await statusWith(agent.key), await statusWith(leaver.key), await statusWith(others.key)]).toEqual([
      401, 401, 200,
    ])
    const { workspaceId } = tenant
    expect(await prisma.agent.findMany({ where: { workspaceId }, select: { id: true } })).toEqual([{ id: others.id }])
    expect(await prisma.webhookEndpoint.count({ where: { workspaceId } })).toBe(2)
    expect(await prisma.invitation.findMany({ where: { workspaceId }, select: { email: true } })).toEqual([
      { email: 'other@example.com' },
    ])
    const ended = ['agent.uninstalled', 'webhook_endpoint.deleted', 'api_key.revoked', 'invitation.revoked']
    expect((await logged(...ended)).map(({ action }) => action).sort()).toEqual(ended.toSorted())
    expect(await logged('member.removed', 'agent.orphaned')).toMatchObject([
      { action: 'member.removed', data: { endAccess: true } },
    ])
  })

  test('goes on working when nobody ends it, which the log says', async () => {
    const { agent, made } = await makeAll()
    expect(await remove()).toMatchObject({ removal: made })
    expect([await statusWith(agent.key), await statusWith(leaver.key)]).toEqual([200, 401])
    expect(await logged('agent.orphaned')).toEqual([
      { action: 'agent.orphaned', targetId: agent.id, data: { memberId: leaver.memberId } },
    ])
  })

  test('is told and ended in their own workspace only', async () => {
    const elsewhere = await guddesk.newTenant()
    const { prisma } = guddesk.deps.db
    await prisma.member.create({
      data: { id: newId('member'), ...elsewhereOf(elsewhere), role: 'ADMIN' },
    })
    const there = { ...elsewhere, userId: leaver.userId }
    const agent = await install(await guddesk.newKey(there, 'FULL_ACCESS'))
    const { memberRemoval } = await guddesk.query(REMOVAL, { id: leaver.memberId }, { key: tenant.key })
    expect(memberRemoval).toMatchObject({ agentNames: [], apiKeyNames: ['FULL_ACCESS key'] })
    await remove(true)
    expect(await statusWith(agent.key)).toBe(200)
  })

  const elsewhereOf = ({ workspaceId }: Tenant) => ({ workspaceId, userId: leaver.userId })
})

describe('an agent’s installer', () => {
  test('is who was signed in, and has left once they are removed', async () => {
    const agent = await install(leaver.key)
    expect(await installer(agent.id)).toEqual({
      name: 'Lea Leaver',
      actor: { __typename: 'ApiKey', displayName: 'FULL_ACCESS key' },
      hasLeft: false,
      hasKeyEnded: false,
    })
    await remove()
    expect(await installer(agent.id)).toMatchObject({ name: 'Lea Leaver', hasLeft: true })
  })

  test('is told by session, too, without a key', async () => {
    const installing = graphql(`mutation ($input: InstallAgentInput!) { installAgent(input: $input) {
      agent { id } error { code message }
    } }`)
    const input = { name: 'By hand', webhookUrl: nextUrl() }
    const { agent } = payload((await guddesk.query(installing, { input }, { key: session })).installAgent)
    expect(await installer(agent.id)).toEqual({
      name: 'Lea Leaver',
      actor: { __typename: 'Member', displayName: 'Lea Leaver' },
      hasLeft: false,
      hasKeyEnded: false,
    })
  })

  test('used a key that was revoked since: shown, and recorded', async () => {
    const agent = await install(leaver.key)
    const { id: apiKeyId } = await guddesk.deps.db.prisma.apiKey.findFirstOrThrow({
      where: { userId: leaver.userId, agentId: null },
    })
    await guddesk.query(REVOKE, { input: { apiKeyId } }, { key: tenant.key })
    expect(await installer(agent.id)).toMatchObject({ hasLeft: false, hasKeyEnded: true })
    expect(await logged('agent.orphaned')).toEqual([
      { action: 'agent.orphaned', targetId: agent.id, data: { apiKeyId } },
    ])
    expect(await statusWith(agent.key)).toBe(200)
  })
})

describe('keys that end many at once', () => {
  const CHANGE = graphql(`mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { error { code } } }`)

  const orphans = async (workspaceId: string) => {
    const where = { workspaceId, action: 'agent.orphaned' }
    const entries = await guddesk.deps.db.prisma.auditEntry.findMany({ where, orderBy: { targetId: 'asc' } })
    return entries.map(({ actorType, actorId, targetId, data }) => ({ actorType, actorId, targetId, data }))
  }

  async function elsewhere(): Promise<Tenant> {
    const { workspaceId } = await guddesk.newTenant()
    const there = { id: newId('member'), workspaceId, userId: leaver.userId, role: 'ADMIN' as const }
    await guddesk.deps.db.prisma.member.create({ data: there })
    return { ...leaver, workspaceId, memberId: there.id }
  }

  test('are told in the log of each workspace where they installed an agent', async () => {
    const there = await elsewhere()
    const everywhere = await guddesk.newKey(leaver, 'FULL_ACCESS', 'all')
    const made = async (key: string, { workspaceId }: Tenant) => {
      const body = { name: 'Made by Lea', webhookUrl: nextUrl(), workspaceId }
      return (await ok(guddesk.call('POST', '/api/v1/agents', body, { key }))).data.id
    }
    const ids = [await made(everywhere, leaver), await made(leaver.key, leaver), await made(everywhere, there)]
    await made(tenant.key, leaver)
    const keyOf = async (key: string) =>
      (await guddesk.deps.db.prisma.apiKey.findUniqueOrThrow({ where: { hash: sha256(key) } })).id
    await guddesk.setPassword(leaver, 'correct horse battery')
    const input = { newPassword: 'staple battery horse', currentPassword: 'correct horse battery', revokeApiKeys: true }
    await guddesk.query(CHANGE, { input }, { key: session })
    const actor = { actorType: 'user', actorId: leaver.userId }
    const apiKeyId = await keyOf(everywhere)
    expect(await orphans(leaver.workspaceId)).toEqual([
      { ...actor, targetId: ids[0], data: { apiKeyId } },
      { ...actor, targetId: ids[1], data: { apiKeyId: await keyOf(leaver.key) } },
    ])
    expect(await orphans(there.workspaceId)).toEqual([{ ...actor, targetId: ids[2], data: { apiKeyId } }])
  })

  test('so is one key of all workspaces, by the name of the person where they are another member', async () => {
    const there = await elsewhere()
    const everywhere = await guddesk.newKey(leaver, 'FULL_ACCESS', 'all')
    const body = { name: 'Made by Lea', webhookUrl: nextUrl(), workspaceId: there.workspaceId }
    const { data } = await ok(guddesk.call('POST', '/api/v1/agents', body, { key: everywhere }))
    const { id: apiKeyId } = await guddesk.deps.db.prisma.apiKey.findUniqueOrThrow({
      where: { hash: sha256(everywhere) },
    })
    const headers = { 'x-workspace-id': leaver.workspaceId }
    await guddesk.query(REVOKE, { input: { apiKeyId } }, { key: session, headers })
    expect(await orphans(leaver.workspaceId)).toEqual([])
    expect(await orphans(there.workspaceId)).toEqual([
      { actorType: 'user', actorId: leaver.userId, targetId: data.id, data: { apiKeyId } },
    ])
  })
})

describe('somebody who installed very many agents', () => {
  async function installMany(count: number): Promise<void> {
    const { prisma } = guddesk.deps.db
    const { workspaceId, userId } = leaver
    await prisma.$executeRaw`
      INSERT INTO agents (id, workspace_id, name, installed_at, updated_at)
        SELECT 'agt_' || n || ${workspaceId}, ${workspaceId}, 'Agent ' || n, now(), now() FROM generate_series(1, ${count}::int) n`
    await prisma.$executeRaw`
      INSERT INTO audit_entries (id, workspace_id, actor_type, actor_id, actor_name, user_id, action, target_type, target_id, created_at)
        SELECT 'aud_' || id, workspace_id, 'member', 'mem_x', 'Lea', ${userId}, 'agent.installed', 'agent', id, now()
          FROM agents WHERE workspace_id = ${workspaceId}`
    await prisma.$executeRaw`ANALYZE agents, audit_entries`
  }
  const left = async (...actions: string[]) =>
    guddesk.deps.db.prisma.auditEntry.count({ where: { workspaceId: tenant.workspaceId, action: { in: actions } } })

  test('can be removed, and the log names all of them', async () => {
    await installMany(33_000)
    const { removal } = await remove()
    // All are counted, and the first are named.
    expect([removal.agentCount, removal.agentNames.length]).toEqual([33_000, 100])
    expect(await left('agent.orphaned')).toBe(33_000)
  }, 60_000)

  test('can be removed with all of them, some at a time', async () => {
    await installMany(250)
    const { removal } = await remove(true)
    expect([removal.agentCount, new Set(removal.agentNames).size]).toEqual([250, 100])
    expect([removal.apiKeyNames, await left('agent.uninstalled'), await left('agent.orphaned')]).toEqual([
      ['FULL_ACCESS key'],
      250,
      0,
    ])
    expect(await guddesk.deps.db.prisma.agent.count({ where: { workspaceId: tenant.workspaceId } })).toBe(0)
  })
})

describe('where an agent’s events go', () => {
  const repoint = (id: string, key: string, patch: object = { webhookUrl: nextUrl() }) =>
    guddesk.call('PATCH', `/api/v1/agents/${id}`, patch, { key })

  test('is changed by FULL_ACCESS, the agent itself, and its installer, by nobody else', async () => {
    const agent = await install(leaver.key)
    const writer = await guddesk.newKey(tenant, 'READ_WRITE')
    const own = await guddesk.newKey(leaver, 'READ_WRITE')
    for (const patch of [{ webhookUrl: nextUrl() }, { events: { onConversationClosed: true } }]) {
      const { status, error } = await repoint(agent.id, writer, patch)
      expect([status, error?.code]).toEqual([403, 'forbidden'])
    }
    expect((await repoint(agent.id, writer, { description: 'As ever' })).status).toBe(200)
    for (const key of [own, agent.key, tenant.key]) expect((await repoint(agent.id, key)).status).toBe(200)
  })

  test('is in the log, old and new', async () => {
    const agent = await install(tenant.key)
    const [second, third] = [nextUrl(), nextUrl()]
    await ok(repoint(agent.id, tenant.key, { webhookUrl: second }))
    expect((await logged('agent.updated')).map(({ data }) => data)).toEqual([
      { changed: ['webhookUrl'], webhookUrl: { from: agent.url, to: second } },
    ])
    const { id: endpointId } = await guddesk.deps.db.prisma.webhookEndpoint.findFirstOrThrow({
      where: { agentId: agent.id },
    })
    const update = graphql(`mutation ($input: UpdateWebhookEndpointInput!) {
      updateWebhookEndpoint(input: $input) { error { code } }
    }`)
    await guddesk.query(update, { input: { endpointId, url: third } }, { key: tenant.key })
    expect((await logged('webhook_endpoint.updated')).map(({ data }) => data)).toEqual([
      { changed: ['url'], url: { from: second, to: third } },
    ])
  })
})
