import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import { type Call, startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { census, installAgent, nextUrl, ok, TIME } from '../objects.ts'
import { idsOf } from '../walk.ts'

const PATH = '/api/v1/agents'
const DEFAULTS = {
  onMessageCreated: true,
  onConversationCreated: true,
  onConversationClosed: false,
  onConversationAssigned: false,
}

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(() => guddesk?.stop())

const install = (body: object, call?: Call) => guddesk.call('POST', PATH, body, call)
const read = (id: string, call?: Call) => guddesk.call('GET', `${PATH}/${id}`, undefined, call)
const patch = (id: string, body: object, call?: Call) => guddesk.call('PATCH', `${PATH}/${id}`, body, call)
const uninstall = (id: string, call?: Call) => guddesk.call('DELETE', `${PATH}/${id}`, undefined, call)

describe('installing', () => {
  test('with as little as possible', async () => {
    const webhookUrl = nextUrl()
    const { status, data } = await install({ name: ' RefundBot ', webhookUrl })
    expect(status).toBe(201)
    expect(data).toMatchObject({
      id: expect.stringMatching(/^agt_/),
      name: 'RefundBot',
      description: null,
      type: 'CUSTOM',
      isEnabled: true,
      priority: 0,
      config: {},
      iconUrl: null,
      creatorName: null,
      creatorUrl: null,
      installedAt: expect.stringMatching(TIME),
      webhookEndpoint: { id: expect.stringMatching(/^whk_/), url: webhookUrl, isEnabled: true, events: DEFAULTS },
      credentials: {
        webhookSecret: expect.stringMatching(/^[0-9a-f]{64}$/),
        apiKey: expect.stringMatching(/^gd_[A-Za-z0-9_-]{43}$/),
      },
    })
  })

  test('with everything', async () => {
    const profile = {
      name: 'Full',
      description: 'Does it all',
      type: 'MARKETPLACE',
      config: { model: 'x', nested: { list: [1, null, 'ü'] } },
      priority: -5,
      iconUrl: 'https://example.com/icon.png',
      creatorName: 'Example Inc.',
      creatorUrl: 'https://example.com',
    }
    const events = { onMessageCreated: false, onConversationAssigned: true }
    const { status, data } = await install({ ...profile, webhookUrl: nextUrl(), events })
    expect(status).toBe(201)
    expect(data).toMatchObject({ ...profile, webhookEndpoint: { events: { ...DEFAULTS, ...events } } })
    const { credentials, ...rest } = data
    expect((await read(data.id)).data).toEqual(rest)
    expect(credentials.apiKey).toMatch(/^gd_/)
  })

  test('the credentials appear nowhere else again', async () => {
    const { data } = await install({ name: 'Discreet', webhookUrl: nextUrl() })
    const { apiKey, webhookSecret } = data.credentials
    const answers = [
      await read(data.id),
      await guddesk.call('GET', `${PATH}?limit=100`),
      await patch(data.id, { name: 'Renamed' }),
      await guddesk.call('GET', '/api/agent/webhooks?limit=100'),
      await read(data.id, { key: apiKey }),
    ]
    for (const { status, body } of answers) {
      expect(status).toBe(200)
      expect(JSON.stringify(body)).not.toMatch(/credentials|secret|apiKey/i)
      expect(JSON.stringify(body)).not.toContain(webhookSecret)
      expect(JSON.stringify(body)).not.toContain(apiKey)
    }
  })

  test('is all or nothing: a taken URL is 409 and leaves nothing behind', async () => {
    const { url } = await installAgent(guddesk)
    const before = await census(guddesk)
    const { status, error } = await install({ name: 'Second', webhookUrl: url })
    expect([status, error.code]).toEqual([409, 'conflict'])
    expect(await census(guddesk)).toEqual(before)
  })

  test('makes one agent, one endpoint and one key', async () => {
    const before = await census(guddesk)
    await installAgent(guddesk)
    const after = await census(guddesk)
    const { agents = 0, webhook_endpoints = 0, api_keys = 0 } = before
    expect(after).toEqual({
      ...before,
      agents: agents + 1,
      webhook_endpoints: webhook_endpoints + 1,
      api_keys: api_keys + 1,
    })
  })

  test('needs a name, a URL and a known type', async () => {
    const before = await census(guddesk)
    const webhookUrl = nextUrl()
    const bodies: [object, string][] = [
      [{ webhookUrl }, 'name'],
      [{ name: ' ', webhookUrl }, 'name'],
      [{ name: 'X' }, 'webhookUrl'],
      [{ name: 'X', webhookUrl, type: 'HOMEMADE' }, 'type'],
      [{ name: 'X', webhookUrl, priority: 1.5 }, 'priority'],
      [{ name: 'X', webhookUrl, config: [] }, 'config'],
      [{ name: 'X', webhookUrl, events: { onMessageCreated: 1 } }, 'events.onMessageCreated'],
    ]
    for (const [body, path] of bodies) {
      const { status, error } = await install(body)
      expect([body, status]).toEqual([body, 400])
      expect(error.fields?.map((field) => field.path)).toEqual([path])
    }
    expect(await census(guddesk)).toEqual(before)
  })
})

describe('the agent’s key', () => {
  test('is READ_WRITE in the workspace and no more', async () => {
    const { id, as } = await installAgent(guddesk)
    const conversationId = await guddesk.newConversation()
    expect((await guddesk.call('GET', '/api/v1/conversations', undefined, as)).status).toBe(200)
    const closing = await guddesk.call('PATCH', `/api/v1/conversations/${conversationId}`, { status: 'CLOSED' }, as)
    expect(closing.status).toBe(200)
    expect((await guddesk.call('POST', '/api/v1/customers', { name: 'New' }, as)).status).toBe(201)
    expect((await uninstall(id, as)).status).toBe(403)
    const workspaces = await guddesk.call('GET', '/api/v1/workspaces', undefined, as)
    expect(idsOf(workspaces.data)).toEqual([guddesk.tenant.workspaceId])
    const other = await guddesk.newTenant()
    const elsewhere = await guddesk.call('GET', `/api/v1/conversations?workspaceId=${other.workspaceId}`, undefined, as)
    expect(elsewhere.data).toHaveLength((await guddesk.call('GET', '/api/v1/conversations')).data.length)
  })

  test('cannot install agents', async () => {
    const { as } = await installAgent(guddesk)
    const before = await census(guddesk)
    const { status, error } = await install({ name: 'Child', webhookUrl: nextUrl() }, as)
    expect([status, error.code]).toEqual([403, 'forbidden'])
    expect(await census(guddesk)).toEqual(before)
  })

  test('changes its own agent, and no other', async () => {
    const { id, as } = await installAgent(guddesk)
    const other = await installAgent(guddesk)
    expect((await patch(id, { description: 'Myself' }, as)).data.description).toBe('Myself')
    const { status, error } = await patch(other.id, { name: 'Mine now' }, as)
    expect([status, error.code]).toEqual([403, 'forbidden'])
    expect((await read(other.id)).data.name).toBe('RefundBot')
    expect((await patch(newId('agent'), { name: 'X' }, as)).status).toBe(404)
  })

  test('is 403 while the agent is disabled, works again when it is enabled, and is 401 once it is gone', async () => {
    const { id, as } = await installAgent(guddesk)
    const use = async () => (await guddesk.call('GET', '/api/v1/conversations', undefined, as)).status
    expect(await use()).toBe(200)
    expect((await patch(id, { isEnabled: false })).data.isEnabled).toBe(false)
    expect(await use()).toBe(403)
    expect((await guddesk.call('POST', '/api/agent/webhooks', { url: nextUrl() }, as)).status).toBe(403)
    expect((await patch(id, { isEnabled: true }, as)).status).toBe(403)
    await patch(id, { isEnabled: true })
    expect(await use()).toBe(200)
    await uninstall(id)
    expect(await use()).toBe(401)
  })
})

describe('the list', () => {
  test('latest installed first; filters type and enabled', async () => {
    const tenant = await guddesk.newTenant()
    const { key } = tenant
    const ids: Record<string, string> = {}
    for (const type of ['CUSTOM', 'MARKETPLACE', 'BUILT_IN']) {
      guddesk.clock.advance(1000)
      ids[type] = (await ok(install({ name: type, webhookUrl: nextUrl(), type }, { key }))).data.id
    }
    await ok(patch(ids['CUSTOM'] ?? '', { isEnabled: false }, { key }))
    const found = async (query: string) => {
      const { data, body } = await guddesk.call('GET', `${PATH}${query}`, undefined, { key })
      expect(body.meta.total).toBe(data.length)
      return data.map(({ name }: { name: string }) => name)
    }
    expect(await found('')).toEqual(['BUILT_IN', 'MARKETPLACE', 'CUSTOM'])
    expect(await found('?type=MARKETPLACE')).toEqual(['MARKETPLACE'])
    expect(await found('?enabled=true')).toEqual(['BUILT_IN', 'MARKETPLACE'])
    expect(await found('?enabled=false')).toEqual(['CUSTOM'])
    expect(await found('?enabled=true&type=CUSTOM')).toEqual([])
    for (const query of ['?type=custom', '?enabled=yes', '?enabled=']) {
      expect((await guddesk.call('GET', `${PATH}${query}`, undefined, { key })).status).toBe(400)
    }
  })
})

describe('changing', () => {
  test('every field that PATCH takes', async () => {
    const { id, url } = await installAgent(guddesk)
    const before = (await read(id)).data
    const fields = {
      name: 'New name',
      description: 'New',
      iconUrl: 'https://example.com/i.png',
      creatorName: 'Somebody',
      creatorUrl: 'https://example.com/',
      config: { a: { b: 1 } },
      priority: 7,
    }
    for (const [field, value] of Object.entries(fields)) {
      const { status, data } = await patch(id, { [field]: value })
      expect([field, status, data?.[field]]).toEqual([field, 200, value])
    }
    const { data } = await read(id)
    expect(data).toEqual({ ...before, ...fields, updatedAt: expect.stringMatching(TIME) })
    expect((await patch(id, { description: null })).data.description).toBeNull()
    const webhookUrl = nextUrl()
    const moved = (await patch(id, { webhookUrl, events: { onConversationClosed: true } })).data.webhookEndpoint
    expect(moved).toEqual({
      ...before.webhookEndpoint,
      url: webhookUrl,
      events: { ...DEFAULTS, onConversationClosed: true },
    })
    expect((await install({ name: 'Successor', webhookUrl: url })).status).toBe(201)
  })

  test('to a taken URL is 409 and changes nothing', async () => {
    const { id } = await installAgent(guddesk)
    const taken = await installAgent(guddesk)
    const before = (await read(id)).data
    expect((await patch(id, { name: 'Half', webhookUrl: taken.url })).status).toBe(409)
    expect((await read(id)).data).toEqual(before)
  })

  test('nothing known in it is 400', async () => {
    const { id } = await installAgent(guddesk)
    for (const body of [{}, { nonsense: 1 }, { type: 'BUILT_IN' }, { id: newId('agent'), credentials: {} }]) {
      expect([body, (await patch(id, body)).status]).toEqual([body, 400])
    }
  })
})

describe('uninstalling', () => {
  test('removes agent, endpoints and key together', async () => {
    const before = await census(guddesk)
    const { id, as } = await installAgent(guddesk)
    await ok(guddesk.call('POST', '/api/agent/webhooks', { url: nextUrl() }, as))
    const { status, body } = await uninstall(id)
    expect([status, body]).toEqual([200, { data: { deleted: true } }])
    expect(await census(guddesk)).toEqual(before)
    for (const answer of [await uninstall(id), await read(id), await patch(id, { name: 'X' })]) {
      expect([answer.status, answer.error.message]).toEqual([404, 'Agent not found'])
    }
  })
})
