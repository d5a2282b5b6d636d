import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../support/guddesk.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})

afterAll(() => guddesk?.stop())

const CREATE = `mutation ($input: CreateWorkspaceInput!) { createWorkspace(input: $input) {
  ... on CreateWorkspacePayload { workspace { id name slug members { name role } } } ... on Error { code message }
} }`
const UPDATE = `mutation ($input: UpdateWorkspaceInput!) { updateWorkspace(input: $input) {
  ... on UpdateWorkspacePayload { workspace { name slug } } ... on Error { code message }
} }`

const create = async (key: string, input: object) =>
  (await guddesk.graphql(CREATE, { input }, { key })).data.createWorkspace
const update = async (key: string, input: object) =>
  (await guddesk.graphql(UPDATE, { input }, { key })).data.updateWorkspace

async function person() {
  const { userId } = await guddesk.newMember(guddesk.tenant, 'Ann', 'VIEWER')
  return { userId, key: await guddesk.newSession({ userId }) }
}

test('whoever makes a workspace owns it, and may be in several', async () => {
  const { key, userId } = await person()
  const made = await create(key, { name: 'Second', slug: 'second' })
  expect(made.workspace).toEqual({
    id: expect.stringMatching(/^ws_/),
    name: 'Second',
    slug: 'second',
    members: [{ name: 'Ann', role: 'OWNER' }],
  })
  const { data } = await guddesk.graphql('{ workspaces { totalCount edges { node { id } } } }', {}, { key })
  expect(data.workspaces.edges.map(({ node }: { node: { id: string } }) => node.id)).toEqual([
    made.workspace.id,
    guddesk.tenant.workspaceId,
  ])
  const audited = await guddesk.deps.db.prisma.auditEntry.findMany({ where: { workspaceId: made.workspace.id } })
  expect(audited).toMatchObject([{ action: 'workspace.created', userId, actorType: 'user', data: { slug: 'second' } }])
})

test('a slug is taken once, also when several want it at once', async () => {
  const { key } = await person()
  const input = { name: 'Race', slug: 'race' }
  const results = await Promise.all([1, 2, 3].map(() => create(key, input)))
  expect(results.map(({ code }) => code ?? 'made').sort()).toEqual(['conflict', 'conflict', 'made'])
  expect(await create(key, { name: 'W', slug: 'A b' })).toMatchObject({ code: 'bad_request' })
  const tenant = await guddesk.newTenant()
  expect(await update(tenant.key, { slug: 'race' })).toMatchObject({ code: 'conflict' })
})

test('changing one is recorded, and leaves what is not named', async () => {
  const tenant = await guddesk.newTenant()
  expect(await update(tenant.key, { name: ' Renamed ' })).toEqual({
    workspace: { name: 'Renamed', slug: tenant.workspaceId.replace('_', '-') },
  })
  expect(await update(tenant.key, {})).toMatchObject({ code: 'bad_request' })
  const { data } = await guddesk.graphql('{ auditEntries { edges { node { action data } } } }', {}, tenant)
  expect(data.auditEntries.edges).toEqual([{ node: { action: 'WORKSPACE_UPDATED', data: { changed: ['name'] } } }])
})
