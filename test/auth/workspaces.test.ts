import { afterAll, beforeAll, expect, test } from 'vitest'
import { graphql, payload, type VariablesOf } from '../support/graphql.ts'
import { startGudDesk, type TestGudDesk } from '../support/guddesk.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})

afterAll(() => guddesk?.stop())

const CREATE = graphql(`mutation ($input: CreateWorkspaceInput!) { createWorkspace(input: $input) {
  workspace { id name slug members { edges { node { name role } } } }
  error { code message }
} }`)
const UPDATE = graphql(`mutation ($input: UpdateWorkspaceInput!) { updateWorkspace(input: $input) {
  workspace { name slug }
  error { code message }
} }`)
const WORKSPACES = graphql(`{ workspaces { totalCount edges { node { id } } } }`)
const AUDIT = graphql(`{ auditEntries { edges { node { action data } } } }`)

const create = async (key: string, input: VariablesOf<typeof CREATE>['input']) =>
  (await guddesk.query(CREATE, { input }, { key })).createWorkspace
const update = async (key: string, input: VariablesOf<typeof UPDATE>['input']) =>
  (await guddesk.query(UPDATE, { input }, { key })).updateWorkspace

async function person() {
  const { userId } = await guddesk.newMember(guddesk.tenant, 'Ann', 'VIEWER')
  return { userId, key: await guddesk.newSession({ userId }) }
}

test('whoever makes a workspace owns it, and may be in several', async () => {
  const { key, userId } = await person()
  const { workspace } = payload(await create(key, { name: 'Second', slug: 'second' }))
  expect(workspace).toEqual({
    id: expect.stringMatching(/^ws_/),
    name: 'Second',
    slug: 'second',
    members: { edges: [{ node: { name: 'Ann', role: 'OWNER' } }] },
  })
  const { workspaces } = await guddesk.query(WORKSPACES, {}, { key })
  expect(workspaces.edges.map(({ node }) => node.id)).toEqual([workspace.id, guddesk.tenant.workspaceId])
  const audited = await guddesk.deps.db.prisma.auditEntry.findMany({ where: { workspaceId: workspace.id } })
  expect(audited).toMatchObject([{ action: 'workspace.created', userId, actorType: 'user', data: { slug: 'second' } }])
})

test('a slug is taken once, also when several want it at once', async () => {
  const { key } = await person()
  const input = { name: 'Race', slug: 'race' }
  const results = await Promise.all([1, 2, 3].map(() => create(key, input)))
  expect(results.map((result) => result?.error?.code ?? 'made').sort()).toEqual(['CONFLICT', 'CONFLICT', 'made'])
  expect(await create(key, { name: 'W', slug: 'A b' })).toMatchObject({ error: { code: 'BAD_REQUEST' } })
  const tenant = await guddesk.newTenant()
  expect(await update(tenant.key, { slug: 'race' })).toMatchObject({ error: { code: 'CONFLICT' } })
})

test('changing one is recorded, and leaves what is not named', async () => {
  const tenant = await guddesk.newTenant()
  expect(payload(await update(tenant.key, { name: ' Renamed ' }))).toMatchObject({
    workspace: { name: 'Renamed', slug: tenant.workspaceId.replace('_', '-') },
  })
  expect(await update(tenant.key, {})).toMatchObject({ error: { code: 'BAD_REQUEST' } })
  const { auditEntries } = await guddesk.query(AUDIT, {}, tenant)
  expect(auditEntries.edges).toEqual([{ node: { action: 'WORKSPACE_UPDATED', data: { changed: ['name'] } } }])
})
