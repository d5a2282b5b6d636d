import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { inviteMember } from '../../../src/domain/identity/invitations.ts'
import { changeMemberRole, removeMember } from '../../../src/domain/identity/workspaces.ts'
import type { Actor } from '../../../src/domain/shared/actor.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'

const NOT_FOUND = { code: 'not_found' }
const FORBIDDEN = { code: 'forbidden' }
const CONFLICT = { code: 'conflict' }

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

async function roles(): Promise<Record<string, string>> {
  const members = await guddesk.deps.db.prisma.member.findMany({ where: { workspaceId: tenant.workspaceId } })
  return Object.fromEntries(members.map(({ id, role }) => [id, role]))
}

describe('changeMemberRole', () => {
  test('changes what the keys of the member may do, at once', async () => {
    const member = await guddesk.newMember(tenant, 'Ann', 'AGENT')
    const key = await guddesk.newKey({ ...tenant, ...member }, 'FULL_ACCESS')
    const write = () => guddesk.call('POST', '/api/v1/customers', { name: 'Vera' }, { key })
    expect((await write()).status).toBe(201)
    const changed = await changeMemberRole(guddesk.deps, owner, { memberId: member.memberId, role: 'VIEWER' })
    expect(changed).toMatchObject({ id: member.memberId, role: 'VIEWER', user: { name: 'Ann' } })
    expect((await write()).status).toBe(403)
    expect(await statusWith(key)).toBe(200)
  })

  test('keeps the last owner', async () => {
    const { memberId } = tenant
    await guddesk.newMember(tenant, 'Ada', 'ADMIN')
    const demote = () => changeMemberRole(guddesk.deps, owner, { memberId, role: 'ADMIN' })
    await expect(demote()).rejects.toMatchObject(CONFLICT)
    await changeMemberRole(guddesk.deps, owner, { memberId, role: 'OWNER' })
    await guddesk.newMember(tenant, 'Second', 'OWNER')
    expect(await demote()).toMatchObject({ role: 'ADMIN' })
  })

  test('two owners who demote each other at the same moment leave one', async () => {
    const second = await guddesk.newMember(tenant, 'Second', 'OWNER')
    const ids = [tenant.memberId, second.memberId]
    const change = (memberId: string) => changeMemberRole(guddesk.deps, owner, { memberId, role: 'AGENT' })
    const results = await Promise.allSettled(ids.map(change))
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(Object.values(await roles()).sort()).toEqual(['AGENT', 'OWNER'])
  })

  test('does not find other workspaces’ members, nor what is no id', async () => {
    const other = await guddesk.newTenant()
    for (const memberId of [other.memberId, 'mem_01jy0000000000000000000000', 'x', '']) {
      const change = changeMemberRole(guddesk.deps, owner, { memberId, role: 'AGENT' })
      await expect(change, memberId).rejects.toMatchObject(NOT_FOUND)
    }
  })
})

describe('removeMember', () => {
  test('unassigns their conversations, which the event log tells', async () => {
    const { memberId } = await guddesk.newMember(tenant, 'Ann')
    const id = await guddesk.newConversation(tenant)
    const path = `/api/v1/conversations/${id}`
    await guddesk.call('PATCH', path, { assigneeId: memberId }, { key: tenant.key })
    await removeMember(guddesk.deps, owner, memberId)
    const { data } = await guddesk.call('GET', path, undefined, { key: tenant.key })
    expect(data).toMatchObject({ assigneeId: null, assignee: null, status: 'OPEN' })
    expect(Object.keys(await roles())).toEqual([tenant.memberId])
    const find = () => guddesk.deps.db.prisma.event.findMany({ where: { conversationId: id }, orderBy: { seq: 'asc' } })
    // The last one follows within moments.
    await until(async () => (await find()).length > 3)
    const events = await find()
    const last = JSON.parse(events.at(-1)?.body ?? '{}')
    expect(last).toMatchObject({ event: 'conversation.updated', data: { changed: ['assigneeId'] } })
    expect(events.map(({ type }) => type)).toEqual([
      'conversation.created',
      'conversation.updated',
      'conversation.assigned',
      'conversation.updated',
    ])
  })

  test('ends their keys for this workspace at once, and no other', async () => {
    const member = await guddesk.newMember(tenant, 'Ann')
    const other = await guddesk.newTenant()
    await guddesk.deps.db.prisma.member.create({
      data: {
        id: `mem_${other.memberId.slice(4, -1)}z`,
        workspaceId: other.workspaceId,
        userId: member.userId,
        role: 'AGENT',
      },
    })
    const here = await guddesk.newKey({ ...tenant, ...member }, 'READ_ONLY')
    const there = await guddesk.newKey({ ...other, ...member }, 'READ_ONLY')
    const everywhere = await guddesk.newKey({ ...tenant, ...member }, 'READ_ONLY', 'all')
    const statusIn = async (workspaceId: string) =>
      (await guddesk.call('GET', `/api/v1/conversations?workspaceId=${workspaceId}`, undefined, { key: everywhere }))
        .status
    expect([await statusWith(here), await statusWith(there)]).toEqual([200, 200])
    expect([await statusIn(tenant.workspaceId), await statusIn(other.workspaceId)]).toEqual([200, 200])
    await removeMember(guddesk.deps, owner, member.memberId)
    expect([await statusWith(here), await statusWith(there)]).toEqual([401, 200])
    expect([await statusIn(tenant.workspaceId), await statusIn(other.workspaceId)]).toEqual([403, 200])
  })

  test('keeps the last owner; two who remove each other leave one', async () => {
    const { deps } = guddesk
    await guddesk.newMember(tenant, 'Ada', 'ADMIN')
    await expect(removeMember(deps, owner, tenant.memberId)).rejects.toMatchObject(CONFLICT)
    const second = await guddesk.newMember(tenant, 'Second', 'OWNER')
    const ids = [tenant.memberId, second.memberId]
    const results = await Promise.allSettled(ids.map((id) => removeMember(deps, owner, id)))
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(Object.values(await roles()).sort()).toEqual(['ADMIN', 'OWNER'])
  })

  test('does not find other workspaces’ members, nor anybody twice; is for FULL_ACCESS', async () => {
    const { deps } = guddesk
    const other = await guddesk.newTenant()
    const { memberId } = await guddesk.newMember(tenant, 'Ann')
    const writer = await actorOf(await guddesk.newKey(tenant, 'READ_WRITE'))
    await expect(removeMember(deps, writer, memberId)).rejects.toMatchObject(FORBIDDEN)
    await removeMember(deps, owner, memberId)
    for (const id of [memberId, other.memberId, 'mem_', '', '\u0000']) {
      await expect(removeMember(deps, owner, id), id).rejects.toMatchObject(NOT_FOUND)
    }
    expect(await statusWith(other.key)).toBe(200)
  })
})

describe('owners', () => {
  /** Somebody in the workspace, by a FULL_ACCESS key and by a session. */
  async function actorsOf(role: 'OWNER' | 'ADMIN') {
    const person = await guddesk.newMember(tenant, role, role)
    const byKey = await actorOf(await guddesk.newKey({ ...tenant, ...person }, 'FULL_ACCESS'))
    const everywhere = await guddesk.newKey({ ...tenant, ...person }, 'FULL_ACCESS', 'all')
    const byWideKey = await guddesk.actorOf(everywhere, tenant.workspaceId)
    const { memberId: id } = person
    const bySession: Actor = { ...byKey, type: 'member', id }
    return { ...person, actors: [byKey, byWideKey, bySession] }
  }

  test('are made, changed, removed and invited by owners only', async () => {
    const { deps } = guddesk
    const admin = await actorsOf('ADMIN')
    const agent = await guddesk.newMember(tenant, 'Ann', 'AGENT')
    for (const actor of admin.actors) {
      const tries = [
        changeMemberRole(deps, actor, { memberId: agent.memberId, role: 'OWNER' }),
        changeMemberRole(deps, actor, { memberId: tenant.memberId, role: 'ADMIN' }),
        removeMember(deps, actor, tenant.memberId),
        inviteMember(deps, actor, { email: 'eve@example.com', role: 'OWNER' }),
      ]
      for (const result of await Promise.allSettled(tries)) {
        expect(result).toMatchObject({ status: 'rejected', reason: FORBIDDEN })
      }
    }
    const [second] = (await actorsOf('OWNER')).actors
    if (second === undefined) throw new Error('no actor')
    expect(await changeMemberRole(deps, second, { memberId: agent.memberId, role: 'OWNER' })).toMatchObject({
      role: 'OWNER',
    })
    await removeMember(deps, second, tenant.memberId)
  })

  test('nobody makes themselves one, and anybody may become less', async () => {
    const admin = await actorsOf('ADMIN')
    for (const actor of admin.actors) {
      const raise = changeMemberRole(guddesk.deps, actor, { memberId: admin.memberId, role: 'OWNER' })
      await expect(raise).rejects.toMatchObject(FORBIDDEN)
    }
    const [actor] = admin.actors
    if (actor === undefined) throw new Error('no actor')
    const { role } = await changeMemberRole(guddesk.deps, actor, { memberId: admin.memberId, role: 'VIEWER' })
    expect(role).toBe('VIEWER')
  })
})
