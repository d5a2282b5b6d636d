import { describe, expect, test } from 'vitest'
import { recordAudit } from '../../../src/domain/audit/audit.ts'
import { newId } from '../../../src/domain/shared/ids.ts'
import { inTransaction } from '../../../src/infra/database/transaction.ts'
import { graphql, payload } from '../../support/graphql.ts'
import { statementsOf } from '../../support/statements.ts'
import { ENTRIES, guddesk, inWorkspace, tenant, useWorkspace } from './actors-steps.ts'

useWorkspace()

describe('an audit entry', () => {
  const ACCOUNT = graphql(`{ auditEntries(filter: { action: WORKSPACE_CREATED }) { edges { node {
    actor { __typename id displayName ... on User { email hasPassword mayResetPassword } }
  } } } }`)

  test('of a person outside of a workspace names the user, without how they sign in', async () => {
    const { userId, memberId } = await guddesk.newMember(tenant, 'Fred', 'ADMIN')
    const create = graphql(`mutation ($input: CreateWorkspaceInput!) { createWorkspace(input: $input) {
      workspace { id } error { code }
    } }`)
    const key = await guddesk.newSession({ userId })
    const input = { name: 'Founded', slug: `founded-${memberId.slice(-8)}` }
    const { workspace } = payload((await guddesk.query(create, { input }, { key, ...inWorkspace() })).createWorkspace)
    const there = { ...tenant, workspaceId: workspace.id }
    const adam = await guddesk.newMember(there, 'Adam', 'OWNER')
    const read = async (reader: string) => {
      const { auditEntries } = await guddesk.query(ACCOUNT, {}, { key: reader, ...inWorkspace(there) })
      return auditEntries.edges.map(({ node }) => node.actor)
    }
    const fred = { __typename: 'User', id: userId, displayName: 'Fred', email: expect.stringMatching(/@/) }
    const reader = await guddesk.newSession(adam)
    for (const one of [key, reader])
      expect(await read(one)).toEqual([{ ...fred, hasPassword: null, mayResetPassword: null }])
    // Whoever has left is not seen any more, also under a name that they took since.
    const { prisma } = guddesk.deps.db
    await prisma.member.deleteMany({ where: { workspaceId: workspace.id, userId } })
    await prisma.user.update({ where: { id: userId }, data: { name: 'Somebody else' } })
    expect(await read(reader)).toEqual([{ __typename: 'UnavailableActor', id: userId, displayName: 'Fred' }])
  })

  test('has what it is about, while that is there, in at most three statements more', async () => {
    const own = await guddesk.newTenant()
    const url = () => `http://127.0.0.1:9/${newId('agent')}`
    const { data: bot } = await guddesk.call('POST', '/api/v1/agents', { name: 'Bot', webhookUrl: url() }, own)
    const { data: gone } = await guddesk.call('POST', '/api/v1/agents', { name: 'Gone', webhookUrl: url() }, own)
    const { memberId } = await guddesk.newMember(own, 'Ann', 'AGENT')
    await guddesk.graphql(
      `mutation {
        changeMemberRole(input: { memberId: "${memberId}", role: VIEWER }) { error { code } }
        createApiKey(input: { name: "Export", permission: READ_ONLY }) { error { code } }
        updateWorkspace(input: { name: "Renamed" }) { error { code } }
        inviteMember(input: { email: "a@example.com", role: VIEWER }) { error { code } }
        registerWebhookEndpoint(input: { url: "${url()}" }) { error { code } }
      }`,
      {},
      own,
    )
    await guddesk.call('DELETE', `/api/v1/agents/${gone.id}`, undefined, own)
    const targets = graphql(`{ auditEntries(last: 20) { edges { node {
      action actor { displayName } targetType targetId target { __typename id
        ... on Actor { displayName } ... on Workspace { slug } ... on WebhookEndpoint { url } ... on Delivery { status } }
    } } } }`)
    const plain = graphql(`{ auditEntries(last: 20) { edges { node { action actor { displayName } } } } }`)
    const { auditEntries } = await guddesk.query(targets, {}, own)
    const found = auditEntries.edges.map(({ node: { targetType, targetId, target } }) => {
      if (target !== null) expect(target.id).toBe(targetId)
      return [targetType, targetId === gone.id ? 'gone' : '', target?.__typename ?? null]
    })
    for (const each of [
      ['AGENT', '', 'Agent'],
      ['AGENT', 'gone', null],
      ['MEMBER', '', 'Member'],
      ['API_KEY', '', 'ApiKey'],
      ['WORKSPACE', '', 'Workspace'],
      ['INVITATION', '', 'Invitation'],
      ['WEBHOOK_ENDPOINT', '', 'WebhookEndpoint'],
    ])
      expect(found).toContainEqual(each)
    expect(auditEntries.edges.find(({ node }) => node.targetId === bot.id)?.node.target).toMatchObject({
      displayName: 'Bot',
    })
    const count = async (query: string) => (await statementsOf(guddesk, () => guddesk.graphql(query, {}, own))).length
    expect((await count(targets)) - (await count(plain))).toBeLessThanOrEqual(3)
  })

  test('of somebody unknown has no actor', async () => {
    const own = await guddesk.newTenant()
    const target = { type: 'user', id: own.userId } as const
    const somebody = { type: 'anonymous', id: 'anonymous', name: 'Somebody', user: null, origin: null } as const
    const entry = { action: 'session.failed', target, at: guddesk.clock.now() } as const
    await inTransaction(guddesk.deps, (tx) => recordAudit(tx, { ...somebody, workspaceId: own.workspaceId }, entry))
    const { auditEntries } = await guddesk.query(ENTRIES, {}, { key: own.key })
    expect(auditEntries.edges.map(({ node }) => node)).toEqual([{ action: 'SESSION_FAILED', actor: null }])
  })
})
