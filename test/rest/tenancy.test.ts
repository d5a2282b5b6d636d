import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../src/domain/ids.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../support/guddesk.ts'
import { ROUTES, routeNamed, send } from './contract-routes.ts'
import { makeObjects, nextUrl, type Objects, ok } from './objects.ts'

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

/** Ids of the right kinds that nobody has. */
function nobodys(): Objects {
  return {
    ...mine,
    workspaceId: newId('workspace'),
    memberId: newId('member'),
    visitorId: newId('visitor'),
    articleId: newId('article'),
    conversationId: newId('conversation'),
    agentId: newId('agent'),
    endpointId: newId('webhookEndpoint'),
    endpointUrl: nextUrl(),
  }
}

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

describe('another workspace’s object is answered exactly as one that is not there', () => {
  const probe: Objects = {
    workspaceId: 'PROBE',
    memberId: 'PROBE',
    visitorId: 'PROBE',
    articleId: 'PROBE',
    conversationId: 'PROBE',
    agentId: 'PROBE',
    agentKey: 'PROBE',
    endpointId: 'PROBE',
    endpointUrl: 'PROBE',
  }
  const withId = ROUTES.filter(({ path, body }) => `${path(probe)}${JSON.stringify(body?.(probe))}`.includes('PROBE'))

  test('the routes that take an id', () => {
    expect(withId).toHaveLength(17)
  })

  test.each(withId)('$name', async (route) => {
    for (const { key } of [guddesk.tenant, { key: mine.agentKey }]) {
      const before = await theirView()
      const unknown = await send(guddesk, route, nobodys(), { key })
      const foreign = await send(guddesk, route, theirs, { key })
      expect([foreign.status, foreign.body]).toEqual([unknown.status, unknown.body])
      const isOwn = key === guddesk.tenant.key
      if (isOwn) expect(foreign.status).toBe(route.name === 'POST /v1/conversations' ? 400 : 404)
      expect(await theirView()).toEqual(before)
    }
  })

  test('also inside a body: assigneeId, and an endpoint by its url', async () => {
    const patch = routeNamed('PATCH /v1/conversations/:id')
    const foreign = await send(guddesk, patch, mine, { fields: { assigneeId: theirs.memberId } })
    const unknown = await send(guddesk, patch, mine, { fields: { assigneeId: newId('member') } })
    expect([foreign.status, foreign.body]).toEqual([400, unknown.body])
    const remove = (url: string) => guddesk.call('DELETE', '/api/agent/webhooks', { url })
    const before = await theirView()
    expect((await remove(theirs.endpointUrl)).body).toEqual((await remove(nextUrl())).body)
    expect(await theirView()).toEqual(before)
  })

  test('in filters it finds nothing', async () => {
    for (const query of [`visitorId=${theirs.visitorId}`, `assigneeId=${theirs.memberId}`]) {
      const { status, data, body } = await guddesk.call('GET', `/api/v1/conversations?${query}`)
      expect([status, data, body.meta.total]).toEqual([200, [], 0])
    }
  })
})

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
