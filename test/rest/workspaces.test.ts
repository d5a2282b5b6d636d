import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../src/domain/ids.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../support/guddesk.ts'
import { TIME } from './objects.ts'
import { idsOf } from './walk.ts'

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
