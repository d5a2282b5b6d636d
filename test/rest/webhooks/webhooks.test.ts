import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { type Call, startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'
import { census, installAgent, nextUrl, ok, TIME } from '../objects.ts'
import { idsOf } from '../walk.ts'

const PATH = '/api/agent/webhooks'
const DEFAULTS = {
  onMessageCreated: true,
  onConversationCreated: true,
  onConversationClosed: false,
  onConversationAssigned: false,
}
const SECRET = /^[0-9a-f]{64}$/

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(() => guddesk?.stop())

const register = (body: unknown, call?: Call) => guddesk.call('POST', PATH, body, call)
const list = (call?: Call) => guddesk.call('GET', `${PATH}?limit=100`, undefined, call)
const remove = (body: unknown, call?: Call) => guddesk.call('DELETE', PATH, body, call)

describe('registering', () => {
  test('a new URL', async () => {
    const url = nextUrl()
    const { status, data } = await register({ url, description: 'Mine' })
    expect(status).toBe(201)
    expect(data).toEqual({
      status: 'created',
      endpoint: {
        id: expect.stringMatching(/^whk_/),
        url,
        secret: expect.stringMatching(SECRET),
        isEnabled: true,
        events: DEFAULTS,
      },
    })
  })

  test('flags that are sent are taken, missing ones have their defaults', async () => {
    const events = { onMessageCreated: false, onConversationClosed: true }
    const { data } = await register({ url: nextUrl(), events })
    expect(data.endpoint.events).toEqual({ ...DEFAULTS, ...events })
    const all = { onMessageCreated: false, onConversationCreated: false, onConversationClosed: true }
    const every = { ...all, onConversationAssigned: true }
    expect((await register({ url: nextUrl(), events: every })).data.endpoint.events).toEqual(every)
    expect((await register({ url: nextUrl(), events: {} })).data.endpoint.events).toEqual(DEFAULTS)
  })

  test('a URL that the workspace has: the same endpoint and secret, and only the sent flags change', async () => {
    const url = nextUrl()
    const first = await register({ url, events: { onConversationClosed: true } })
    const again = await register({ url })
    expect(again.status).toBe(200)
    expect(again.data).toEqual({ status: 'exists', endpoint: first.data.endpoint })
    const { data } = await register({ url, events: { onMessageCreated: false } })
    expect(data.endpoint).toEqual({
      ...first.data.endpoint,
      events: { ...DEFAULTS, onConversationClosed: true, onMessageCreated: false },
    })
  })

  test('again enables what was disabled', async () => {
    const url = nextUrl()
    const { data } = await register({ url })
    const { id } = data.endpoint
    await guddesk.deps.db.prisma.webhookEndpoint.update({
      where: { id },
      data: { isEnabled: false, disabledReason: 'gone' },
    })
    const again = await register({ url })
    expect(again.data).toEqual({ status: 'exists', endpoint: data.endpoint })
    const { data: endpoints } = await list()
    expect(endpoints).toContainEqual(expect.objectContaining({ id, isEnabled: true, disabledReason: null }))
  })

  test('20 times at once makes one endpoint; all 20 get its secret', async () => {
    for (let round = 0; round < 3; round++) {
      const url = nextUrl()
      const answers = await Promise.all(Array.from({ length: 20 }, () => register({ url })))
      const endpoints = answers.map(({ data }) => data.endpoint)
      expect(new Set(endpoints.map(({ id }) => id)).size).toBe(1)
      expect(new Set(endpoints.map(({ secret }) => secret)).size).toBe(1)
      expect(answers.map(({ status }) => status).sort()).toEqual([...Array.from({ length: 19 }, () => 200), 201])
      const { data } = await list()
      expect(data.filter((endpoint: { url: string }) => endpoint.url === url)).toHaveLength(1)
    }
  })

  test('secrets differ between endpoints, and are not stored in the open', async () => {
    const a = (await register({ url: nextUrl() })).data.endpoint
    const b = (await register({ url: nextUrl() })).data.endpoint
    expect(a.secret).not.toBe(b.secret)
    const [row] = await guddesk.deps.db.sql<{ all: string }>(
      'SELECT to_jsonb(w)::text AS all FROM webhook_endpoints w WHERE id = $1',
      [a.id],
    )
    expect(row?.all).toContain(a.id)
    expect(row?.all).not.toContain(a.secret)
    expect(JSON.stringify(guddesk.logs)).not.toContain(a.secret)
  })

  test('spellings of one URL are one endpoint', async () => {
    const { data } = await register({ url: 'http://localhost:9/Spelled?a=1' })
    for (const url of ['HTTP://LOCALHOST:9/Spelled?a=1', ' http://localhost:9/x/../Spelled?a=1#part ']) {
      const again = await register({ url })
      expect([again.status, again.data.endpoint.id]).toEqual([200, data.endpoint.id])
    }
    expect((await register({ url: 'http://localhost:9/spelled?a=1' })).status).toBe(201)
  })
})

describe('listing', () => {
  test('newest first, without secrets', async () => {
    guddesk.clock.advance(1000)
    const { data: made } = await register({ url: nextUrl(), description: 'Latest' })
    const { status, data, body } = await list()
    expect(status).toBe(200)
    expect(data[0]).toMatchObject({
      id: made.endpoint.id,
      url: made.endpoint.url,
      description: 'Latest',
      isEnabled: true,
      events: DEFAULTS,
      createdAt: expect.stringMatching(TIME),
    })
    expect(JSON.stringify(body)).not.toMatch(/secret|[0-9a-f]{64}/i)
    expect(body.meta.total).toBe(data.length)
  })
})

describe('deleting', () => {
  test('for good, by url and by endpointId', async () => {
    for (const by of ['url', 'id'] as const) {
      const { endpoint } = (await register({ url: nextUrl() })).data
      const which = by === 'url' ? { url: endpoint.url } : { endpointId: endpoint.id }
      const { status, body } = await remove({ ...which, forget: true })
      expect([status, body]).toEqual([200, { data: { deleted: true } }])
      expect(idsOf((await list()).data)).not.toContain(endpoint.id)
      expect((await remove(which)).status).toBe(404)
      const again = await register({ url: endpoint.url })
      expect(again.status).toBe(201)
      expect(again.data.endpoint.secret).not.toBe(endpoint.secret)
    }
  })

  test('by url in another spelling', async () => {
    const { endpoint } = (await register({ url: nextUrl() })).data
    expect((await remove({ url: `${endpoint.url.replace('localhost', 'LOCALHOST')}#part` })).status).toBe(200)
  })

  test('an unknown one is 404, neither url nor id is 400', async () => {
    const before = await census(guddesk)
    for (const body of [{ url: nextUrl() }, { endpointId: newId('webhookEndpoint') }, { endpointId: newId('agent') }]) {
      const { status, error } = await remove(body)
      expect([status, error.code, error.message]).toEqual([404, 'not_found', 'Webhook endpoint not found'])
    }
    for (const body of [{}, { id: newId('webhookEndpoint') }, undefined]) {
      expect((await remove(body, { headers: { 'content-type': 'application/json' } })).status).toBe(400)
    }
    expect(await census(guddesk)).toEqual(before)
  })

  test('for good stops deliveries that are waiting', async () => {
    const { endpoint } = (await register({ url: nextUrl() })).data
    await guddesk.newConversation(guddesk.tenant, 'Nobody listens')
    const { prisma } = guddesk.deps.db
    const where = { endpointId: endpoint.id }
    expect(await prisma.delivery.count({ where })).toBeGreaterThan(0)
    await ok(remove({ url: endpoint.url, forget: true }))
    await until(async () => (await prisma.delivery.count({ where })) === 0)
  })
})

describe('an agent’s own key', () => {
  test('registers, lists and removes its own endpoints', async () => {
    const { id, url: installed, as } = await installAgent(guddesk)
    const url = nextUrl()
    const made = await register({ url }, as)
    expect([made.status, made.data.status]).toEqual([201, 'created'])
    const { data, body } = await list(as)
    expect(data.map((endpoint: { url: string }) => endpoint.url).sort()).toEqual([installed, url].sort())
    expect(body.meta.total).toBe(2)
    for (const endpoint of data) expect(endpoint.agentId).toBe(id)
    expect((await remove({ url }, as)).data).toEqual({ deleted: true })
    expect((await list(as)).data).toHaveLength(1)
  })

  test('finds the endpoint that its install made, with the secret that the install gave', async () => {
    const { url, secret, as } = await installAgent(guddesk)
    const { status, data } = await register({ url, events: { onConversationClosed: true } }, as)
    expect([status, data.status, data.endpoint.secret]).toEqual([200, 'exists', secret])
    expect(data.endpoint.events).toEqual({ ...DEFAULTS, onConversationClosed: true })
  })

  test('gets 409 for the workspace’s or another agent’s URL: no secret, no change', async () => {
    const { as } = await installAgent(guddesk)
    const another = await installAgent(guddesk)
    const own = (await register({ url: nextUrl() })).data.endpoint
    await guddesk.deps.db.prisma.webhookEndpoint.update({ where: { id: own.id }, data: { isEnabled: false } })
    for (const { url, secret } of [own, another]) {
      const before = (await list()).data
      const { status, error, body } = await register({ url, events: { onConversationAssigned: true } }, as)
      expect([status, error.code]).toEqual([409, 'conflict'])
      expect(JSON.stringify(body)).not.toContain(secret)
      expect((await list()).data).toEqual(before)
    }
  })

  test('cannot see or remove anybody else’s', async () => {
    const { as } = await installAgent(guddesk)
    const own = (await register({ url: nextUrl() })).data.endpoint
    expect(idsOf((await list(as)).data)).not.toContain(own.id)
    for (const body of [{ url: own.url }, { endpointId: own.id }]) {
      const unknown = await remove({ endpointId: newId('webhookEndpoint') }, as)
      const { status, body: answer } = await remove(body, as)
      expect([status, answer]).toEqual([404, unknown.body])
    }
    expect(idsOf((await list()).data)).toContain(own.id)
  })
})
