import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'
import { TIME } from '../objects.ts'
import { idsOf } from '../walk.ts'

const PATH = '/api/v1/workspaces'

let guddesk: TestGudDesk
let other: Tenant
let stranger: Tenant
let everywhere: string

beforeAll(async () => {
  guddesk = await startGudDesk()
  guddesk.clock.advance(1000)
  other = await guddesk.newTenant()
  stranger = await guddesk.newTenant()
  const { userId } = guddesk.tenant
  const membership = { workspaceId: other.workspaceId, userId, role: 'VIEWER' } as const
  await guddesk.deps.db.prisma.member.create({ data: { id: newId('member'), ...membership } })
  everywhere = await guddesk.newKey(guddesk.tenant, 'READ_ONLY', 'all')
})

afterAll(() => guddesk?.stop())

const list = async (key: string, query = '') => guddesk.call('GET', `${PATH}${query}`, undefined, { key })

describe('the list', () => {
  test('of a workspace-scoped key is that workspace', async () => {
    const { status, data, body } = await list(guddesk.tenant.key)
    expect(status).toBe(200)
    expect(data).toEqual([
      expect.objectContaining({
        id: guddesk.tenant.workspaceId,
        name: 'My workspace',
        slug: 'my-workspace',
        createdAt: expect.stringMatching(TIME),
      }),
    ])
    expect(body.meta.total).toBe(1)
    expect(idsOf((await list(guddesk.tenant.key, `?workspaceId=${other.workspaceId}`)).data)).toEqual(idsOf(data))
  })

  test('of an all-workspaces key is all of its user’s, and nobody else’s', async () => {
    const { data, body } = await list(everywhere)
    expect(idsOf(data).sort()).toEqual([guddesk.tenant.workspaceId, other.workspaceId].sort())
    expect(body.meta.total).toBe(2)
  })
})

describe('one', () => {
  const read = (id: string, key: string) => guddesk.call('GET', `${PATH}/${id}`, undefined, { key })

  test('is found by its id', async () => {
    const { workspaceId, key } = guddesk.tenant
    for (const which of [key, everywhere]) {
      const { status, data } = await read(workspaceId, which)
      expect(status).toBe(200)
      expect(data).toMatchObject({ id: workspaceId, name: 'My workspace', slug: 'my-workspace' })
    }
    expect((await read(other.workspaceId, everywhere)).data.id).toBe(other.workspaceId)
  })

  test('that is not the key’s is 404, as one that is not there', async () => {
    const { key } = guddesk.tenant
    const unknown = await read(newId('workspace'), key)
    expect([unknown.status, unknown.error.message]).toEqual([404, 'Workspace not found'])
    for (const [id, which] of [
      [other.workspaceId, key],
      [stranger.workspaceId, key],
      [stranger.workspaceId, everywhere],
      [newId('workspace'), everywhere],
      [newId('member'), everywhere],
      ['%00', everywhere],
      ['x', key],
    ] as const) {
      const { status, body } = await read(id, which)
      expect([status, body]).toEqual([404, unknown.body])
    }
  })
})

describe('writing', () => {
  const send = (method: string, id: string, body: object | undefined, key: string) =>
    guddesk.call(method, `${PATH}${id === '' ? '' : `/${id}`}`, body, { key })

  /** Somebody with a workspace of their own, by all-workspaces keys. */
  async function person(role: 'OWNER' | 'ADMIN' | 'AGENT' = 'OWNER') {
    const tenant = await guddesk.newTenant(role)
    const keyOf = (permission: 'READ_WRITE' | 'FULL_ACCESS') => guddesk.newKey(tenant, permission, 'all')
    return { ...tenant, full: await keyOf('FULL_ACCESS'), write: await keyOf('READ_WRITE') }
  }

  test('an all-workspaces key makes one, whose owner is its user', async () => {
    const { full, write, key, userId } = await person()
    const body = { name: 'Made', slug: `made-${userId.slice(4)}` }
    const made = await send('POST', '', body, full)
    expect(made.status).toBe(201)
    expect(made.data).toMatchObject({ id: expect.stringMatching(/^ws_/), ...body, plan: 'PRO' })
    const { data } = await send('GET', made.data.id, undefined, full)
    expect(data.members).toEqual([{ id: expect.any(String), name: 'Otto Owner', role: 'OWNER' }])
    expect((await send('POST', '', body, full)).status).toBe(409)
    expect((await send('POST', '', { ...body, slug: 'another' }, write)).status).toBe(403)
    expect((await send('POST', '', { ...body, slug: 'another' }, key)).status).toBe(403)
    for (const bad of [
      {},
      { name: 'W', slug: 'w' },
      { name: 'Well', slug: 'Not a slug' },
      { name: 'Well', slug: '' },
    ]) {
      expect((await send('POST', '', bad, full)).status, JSON.stringify(bad)).toBe(400)
    }
  })

  test('owners and admins change theirs', async () => {
    const { write, workspaceId } = await person('ADMIN')
    const changed = await send('PATCH', workspaceId, { name: 'Renamed' }, write)
    expect(changed.data).toMatchObject({ id: workspaceId, name: 'Renamed' })
    expect((await send('PATCH', workspaceId, {}, write)).status).toBe(400)
    expect((await send('PATCH', workspaceId, { slug: 'my-workspace' }, write)).status).toBe(409)
    expect((await send('PATCH', guddesk.tenant.workspaceId, { name: 'Stolen' }, write)).status).toBe(404)
    const agent = await person('AGENT')
    expect((await send('PATCH', agent.workspaceId, { name: 'Renamed' }, agent.write)).status).toBe(403)
    const readOnly = await guddesk.newKey(guddesk.tenant, 'READ_ONLY')
    expect((await send('PATCH', guddesk.tenant.workspaceId, { name: 'X2' }, readOnly)).status).toBe(403)
  })

  test('owners remove theirs with everything in it, once', async () => {
    const owner = await person()
    const { workspaceId, key, full, write } = owner
    const bot = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/removed' }
    const { data: agent } = await guddesk.call('POST', '/api/v1/agents', bot, { key })
    const conversation = await guddesk.newConversation(owner, 'Hello')
    const path = `/api/v1/conversations/${conversation}`
    await guddesk.call('PATCH', path, { assigneeId: owner.memberId }, { key })
    const admin = await guddesk.newMember(owner, 'Ada', 'ADMIN')
    const adminKey = await guddesk.newKey({ ...owner, ...admin }, 'FULL_ACCESS', 'all')
    expect((await send('DELETE', workspaceId, undefined, adminKey)).status).toBe(403)
    expect((await send('DELETE', workspaceId, undefined, write)).status).toBe(403)
    expect((await send('DELETE', guddesk.tenant.workspaceId, undefined, full)).status).toBe(404)
    const answers = await Promise.all([1, 2, 3].map(() => send('DELETE', workspaceId, undefined, full)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 404, 404])
    expect(answers.find(({ status }) => status === 200)?.data).toEqual({ deleted: true })
    expect((await send('GET', workspaceId, undefined, full)).status).toBe(404)
    for (const gone of [key, agent.credentials.apiKey]) {
      expect((await guddesk.call('GET', path, undefined, { key: gone })).status).toBe(401)
    }
    const { event, delivery, auditEntry, workspace } = guddesk.deps.db.prisma
    await until(async () => (await workspace.count({ where: { id: workspaceId } })) === 0)
    expect([await event.count({ where: { workspaceId } }), await delivery.count({ where: { workspaceId } })]).toEqual([
      0, 0,
    ])
    const recorded = await auditEntry.findMany({ where: { targetId: workspaceId } })
    expect(recorded).toMatchObject([{ action: 'workspace.deleted', userId: owner.userId, workspaceId: null }])
  })
})
