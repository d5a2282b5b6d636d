import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { ROUTES, send } from '../contract-routes.ts'
import { makeObjects, nextUrl, type Objects, ok } from '../objects.ts'

// What is another workspace's is told from what is not there nowhere: matrix.test.ts. Here is what else keeps them apart.

let guddesk: TestGudDesk
let mine: Objects
let theirs: Objects
let other: Tenant

beforeAll(async () => {
  guddesk = await startGudDesk()
  other = await guddesk.newTenant()
  mine = await makeObjects(guddesk)
  theirs = await makeObjects(guddesk, other)
})

afterAll(() => guddesk?.stop())

/** Everything that the other workspace has, as it sees it. */
async function theirView(): Promise<unknown> {
  const { key } = other
  const get = async (path: string) => (await ok(guddesk.call('GET', `/api${path}`, undefined, { key }))).body
  return Promise.all([
    get('/v1/conversations'),
    get(`/v1/conversations/${theirs.conversationId}/messages`),
    get('/v1/customers'),
    get(`/v1/customers/${theirs.visitorId}`),
    get('/v1/articles'),
    get(`/v1/articles/${theirs.articleId}`),
    get('/v1/agents'),
    get('/agent/webhooks'),
    get('/v1/workspaces'),
  ])
}

test('lists have the own workspace’s rows only', async () => {
  const foreign = new Set(Object.values(theirs))
  for (const path of [
    '/v1/conversations',
    '/v1/customers',
    '/v1/articles',
    '/v1/agents',
    '/agent/webhooks',
    '/v1/workspaces',
  ]) {
    const { data, body } = await guddesk.call('GET', `/api${path}?limit=100`)
    expect(data.length).toBeGreaterThan(0)
    expect(body.meta.total).toBe(data.length)
    for (const { id } of data) expect(foreign).not.toContain(id)
  }
})

test('a URL that another workspace has is a new endpoint here, with a secret of its own', async () => {
  const url = nextUrl()
  const a = await guddesk.call('POST', '/api/agent/webhooks', { url }, { key: other.key })
  const b = await guddesk.call('POST', '/api/agent/webhooks', { url })
  expect([a.status, b.status]).toEqual([201, 201])
  expect(b.data.endpoint.id).not.toBe(a.data.endpoint.id)
  expect(b.data.endpoint.secret).not.toBe(a.data.endpoint.secret)
})

describe('an all-workspaces key', () => {
  let key: string
  const inWorkspace = ROUTES.filter(({ isGlobal }) => isGlobal !== true)

  beforeAll(async () => {
    key = await guddesk.newKey(guddesk.tenant, 'FULL_ACCESS', 'all')
  })

  test.each(inWorkspace)('$name without workspaceId is 400', async (route) => {
    const { status, error } = await send(guddesk, route, mine, { key })
    expect([status, error.code]).toEqual([400, 'bad_request'])
    expect(error.fields).toEqual([{ path: 'workspaceId', message: expect.stringMatching(/\S/) }])
  })

  test.each(inWorkspace)('$name for a workspace that its user is not in is 403', async (route) => {
    const before = await theirView()
    for (const workspaceId of [other.workspaceId, newId('workspace'), newId('visitor'), 'x', '%00']) {
      const { status, error } = await send(guddesk, route, theirs, { key, query: `?workspaceId=${workspaceId}` })
      expect([workspaceId, status, error.code]).toEqual([workspaceId, 403, 'forbidden'])
    }
    expect(await theirView()).toEqual(before)
  })

  test.each(inWorkspace)('$name with workspaceId in the query works', async (route) => {
    const own = await makeObjects(guddesk)
    const { status } = await send(guddesk, route, own, { key, query: `?workspaceId=${own.workspaceId}` })
    expect(status).toBeLessThan(300)
  })

  test.each(inWorkspace.filter(({ body }) => body !== undefined))(
    '$name with workspaceId in the body works',
    async (route) => {
      const own = await makeObjects(guddesk)
      const { status } = await send(guddesk, route, own, { key, fields: { workspaceId: own.workspaceId } })
      expect(status).toBeLessThan(300)
      const refused = await send(guddesk, route, theirs, { key, fields: { workspaceId: other.workspaceId } })
      expect(refused.status).toBe(403)
    },
  )

  test('a workspaceId that is no text is 400', async () => {
    for (const workspaceId of [5, null, [mine.workspaceId], {}]) {
      const { status } = await guddesk.call('POST', '/api/v1/customers', { name: 'X', workspaceId }, { key })
      expect([workspaceId, status]).toEqual([workspaceId, 400])
    }
  })
})

describe('a workspace-scoped key ignores workspaceId', () => {
  test.each(ROUTES)('$name', async (route) => {
    for (const workspaceId of [other.workspaceId, newId('workspace'), 'x', '']) {
      const own = await makeObjects(guddesk)
      const { status } = await send(guddesk, route, own, { query: `?workspaceId=${workspaceId}` })
      expect([workspaceId, status < 300]).toEqual([workspaceId, true])
    }
  })

  test.each([
    ['another workspace’s id', () => other.workspaceId],
    ['text', () => 'x'],
    ['a number', () => 5],
    ['null', () => null],
  ])('in a body: %s', async (_, workspaceId) => {
    const before = await theirView()
    const body = { name: 'Ignored', workspaceId: workspaceId() }
    const { status, data } = await guddesk.call('POST', '/api/v1/customers', body)
    expect(status).toBe(201)
    expect((await guddesk.call('GET', `/api/v1/customers/${data.id}`)).status).toBe(200)
    expect(await theirView()).toEqual(before)
  })
})
