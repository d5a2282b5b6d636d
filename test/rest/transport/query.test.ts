import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { ROUTES, send } from '../contract-routes.ts'
import { makeObjects, type Objects, ok } from '../objects.ts'
import { idsOf } from '../walk.ts'

let guddesk: TestGudDesk
let objects: Objects

beforeAll(async () => {
  guddesk = await startGudDesk()
  objects = await makeObjects(guddesk)
})

afterAll(() => guddesk?.stop())

const LISTS = new Set([
  'GET /v1/workspaces',
  'GET /v1/conversations',
  'GET /v1/conversations/:id/messages',
  'GET /v1/customers',
  'GET /v1/articles',
  'GET /v1/agents',
  'GET /agent/webhooks',
])

describe.each(ROUTES)('$name', (route) => {
  const query = (text: string) => send(guddesk, route, objects, { query: `?${text}` })

  test('refuses a parameter that it does not have, and names those that it has', async () => {
    const { status, error } = await query('externalID=nope')
    expect(status).toBe(400)
    expect(error.fields?.map(({ path }) => path)).toEqual(['externalID'])
    expect(error.message).toContain('workspaceId')
    expect(error.message.includes('cursor')).toBe(LISTS.has(route.name))
  })

  test('refuses a parameter that is sent twice and is no list', async () => {
    for (const name of LISTS.has(route.name) ? ['workspaceId', 'limit', 'cursor'] : ['workspaceId']) {
      const { status, error } = await query(`${name}=1&${name}=1`)
      expect([name, status]).toEqual([name, 400])
      expect(error.fields).toEqual([{ path: name, message: 'must be sent only once' }])
    }
  })

  test('names some of very many', async () => {
    const { status, error } = await query(Array.from({ length: 90 }, (_, i) => `unknown${i}=1`).join('&'))
    expect(status).toBe(400)
    expect(error.fields).toHaveLength(20)
  })
})

test('a limit that is not a number counts as 25', async () => {
  const { body } = await guddesk.call('GET', '/api/v1/customers?limit=many')
  expect(body.meta.perPage).toBe(25)
})

describe('GET /v1/customers', () => {
  const found = async (query: Record<string, string>, key = guddesk.tenant.key) => {
    const path = `/api/v1/customers?${new URLSearchParams(query)}`
    return idsOf((await ok(guddesk.call('GET', path, undefined, { key }))).data)
  }

  test('finds by externalId, exactly, in one workspace', async () => {
    const other = await guddesk.newTenant()
    const input = { name: 'Nora', externalId: 'shop-7' }
    const { data } = await ok(guddesk.call('POST', '/api/v1/customers', input))
    const { data: theirs } = await ok(guddesk.call('POST', '/api/v1/customers', input, { key: other.key }))
    expect(await found({ externalId: 'shop-7' })).toEqual([data.id])
    expect(await found({ externalId: 'shop-7' }, other.key)).toEqual([theirs.id])
    for (const externalId of ['nope', 'shop', 'SHOP-7', '%']) expect(await found({ externalId })).toEqual([])
  })

  test('finds by q in name, email address and externalId', async () => {
    const input = { name: 'Quentin Quill', email: 'quill@example.org', externalId: 'quay-1' }
    const { data } = await ok(guddesk.call('POST', '/api/v1/customers', input))
    for (const q of ['quentin', 'QUILL@example', 'quay-']) expect(await found({ q })).toEqual([data.id])
    expect(await found({ q: 'quentin', externalId: 'quay-2' })).toEqual([])
    expect(await found({ q: '%' })).toEqual([])
  })
})
