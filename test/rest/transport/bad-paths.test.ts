import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { ROUTES, send } from '../contract-routes.ts'
import { census, makeObjects, type Objects } from '../objects.ts'

let guddesk: TestGudDesk
let objects: Objects

beforeAll(async () => {
  guddesk = await startGudDesk()
  objects = await makeObjects(guddesk)
})

afterAll(() => guddesk?.stop())

/** No id of ours, in the encoding of a path. */
const NO_IDS = [
  '%00',
  'conv_%00',
  '%',
  '%zz',
  '%E0%A4%A',
  '%ED%A0%80',
  '%C0%80',
  '%F0%9F%99%82',
  '%20',
  '%2e%2e',
  '%2F',
  '..%2F..%2Fetc%2Fpasswd',
  "'%20OR%201=1--",
  '__proto__',
  'undefined',
  'null',
  '[object%20Object]',
  '0',
  '-1',
  '9'.repeat(400),
  'conv_',
  'conv_01h455vb4pex5vsknk084sn02q',
  'CONV_01H455VB4PEX5VSKNK084SN02Q',
  `conv_${'z'.repeat(26)}`,
  `conv_${'0'.repeat(26)}`,
  `conv_${'é'.repeat(26)}`,
  'conv_01h455vb4pex5vsknk084sn02q%0A',
  'a'.repeat(5000),
  '*',
  ':id',
]

const WITH_ID = ROUTES.filter(({ name }) => name.includes(':id'))

describe('a path in other letters is 404', () => {
  test.each(ROUTES)('$name', async (route) => {
    const before = await census(guddesk)
    const [method = '', path = ''] = route.name.split(' ')
    for (const other of [path.toUpperCase(), path.replace('/v1/', '/V1/'), path.replace(/s(?=$|\/)/, 'S')]) {
      if (other === path) continue
      const { status } = await fetch(`${guddesk.origin}/api${other}`, {
        method,
        headers: { authorization: `Bearer ${guddesk.tenant.key}` },
      })
      expect([other, status]).toEqual([other, 404])
    }
    expect(await census(guddesk)).toEqual(before)
  })
})

describe('an id that is none is 404', () => {
  test.each(WITH_ID)('$name', async (route) => {
    const before = await census(guddesk)
    for (const bad of NO_IDS) {
      const named = { ...objects, conversationId: bad, visitorId: bad, articleId: bad, agentId: bad, workspaceId: bad }
      const { status, error } = await send(guddesk, route, named)
      expect([bad, status, error?.code]).toEqual([bad, 404, 'not_found'])
    }
    expect(await census(guddesk)).toEqual(before)
  })

  test.each(WITH_ID)('$name with an id of another kind', async (route) => {
    const { workspaceId, memberId, visitorId, conversationId, agentId, endpointId } = objects
    for (const id of [workspaceId, memberId, visitorId, conversationId, agentId, endpointId]) {
      const named = { ...objects, conversationId: id, visitorId: id, articleId: id, agentId: id, workspaceId: id }
      if (route.path(named) === route.path(objects)) continue
      const { status, error } = await send(guddesk, route, named)
      expect([id, status, error?.code]).toEqual([id, 404, 'not_found'])
    }
  })
})

/** Queries that clients send by accident or on purpose. */
const QUERIES = [
  '?%',
  '?%00',
  '?%=%',
  '?=',
  '?&&&',
  '?a',
  '?limit=%',
  '?limit[]=1',
  '?limit=1&limit=x',
  '?cursor=%00',
  '?cursor=%',
  '?cursor=a&cursor=b',
  '?status=%00',
  '?status=%E0%A4%A',
  '?status=OPEN&status=nonsense',
  '?status[]=OPEN',
  '?status[not]=OPEN',
  '?assigneeId=%00',
  '?assigneeId=',
  '?assigneeId=%ED%A0%80',
  '?visitorId=%00',
  '?visitorId=',
  `?visitorId=${'v'.repeat(5000)}`,
  '?tag=%00',
  '?tag=',
  '?tag=%22%7D',
  '?tag=%ED%A0%80',
  '?channel=%00',
  '?createdAfter=',
  '?createdAfter=%00',
  '?createdAfter=0000-01-01T00:00:00Z',
  '?createdAfter=0001-01-01T00:00:00%2B23:59',
  '?createdAfter=9999-12-31T23:59:59-23:59',
  '?createdAfter=-271821-04-20T00:00:00Z',
  '?createdBefore=0000-01-01T00:00:00Z',
  '?createdBefore=9999-12-31T23:59:59-23:59',
  '?createdBefore=%2B275760-09-13T00:00:00Z',
  '?createdBefore=2026-01-01T00:00:00.123456789Z',
  '?email=%00',
  '?email=',
  `?email=${'a'.repeat(4000)}@example.com`,
  '?type=%00',
  '?type=__proto__',
  '?enabled=%00',
  '?enabled=maybe',
  '?workspaceId=%00',
  '?__proto__=x',
  '?__proto__[limit]=1',
  '?constructor=x&toString=x&hasOwnProperty=x',
  `?${'a=1&'.repeat(2000)}`,
]

describe('a query never makes a 5xx', () => {
  test.each(ROUTES.filter(({ name }) => name.startsWith('GET')))('$name', async (route) => {
    const failed: string[] = []
    for (const query of QUERIES) {
      const { status, body } = await send(guddesk, route, objects, { query })
      const isServed = status === 200 && 'data' in body
      const isRefused = status === 400 && body.error?.code === 'bad_request'
      if (!isServed && !isRefused) failed.push(`${status} for ${query.slice(0, 80)}`)
    }
    expect(failed).toEqual([])
  })
})
