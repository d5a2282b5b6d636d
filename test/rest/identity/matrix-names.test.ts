import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import type { Answer } from '../../support/guddesk.ts'
import { makeObjects, nextUrl, ok } from '../objects.ts'
import { type Named, type Request, RULES } from './matrix-rules.ts'
import {
  cases,
  digest,
  guddesk,
  keyOf,
  newWorld,
  operations,
  refusalOf,
  ruleOf,
  send,
  somebody,
  useWorlds,
  type World,
} from './matrix-steps.ts'

useWorlds()

const nobodys = (): Named => ({
  workspaceId: newId('workspace'),
  memberId: newId('member'),
  visitorId: newId('visitor'),
  articleId: newId('article'),
  conversationId: newId('conversation'),
  agentId: newId('agent'),
  agentKey: '',
  endpointId: newId('webhookEndpoint'),
  endpointUrl: nextUrl(),
  collectionId: newId('collection'),
  externalId: randomUUID(),
  email: `${randomUUID()}@example.com`,
  slug: `slug-${randomUUID()}`,
})

/** A request with something else in one place. */
function replaced(request: Request, place: string, value: string): Request {
  if (place === 'path') return { ...request, id: value }
  const [part = '', field = ''] = place.split('.')
  if (part === 'query') return { ...request, query: { ...request.query, [field]: value } }
  const body = { ...request.body, [field]: value }
  // Of the two ways of naming an endpoint it takes one.
  if (field === 'url' && 'endpointId' in body) delete body['endpointId']
  return { ...request, body }
}

/** An answer as it went over the wire, without what differs between any two requests. */
function comparable({ status, headers, body }: Answer, sent: string): unknown {
  const text = JSON.stringify(body)
    .replaceAll(JSON.stringify(sent).slice(1, -1), '<sent>')
    .replaceAll(/\b[a-z]{2,4}[_-][0-9a-hjkmnp-tv-z]{26}\b/g, '<id>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/gd_[\w-]{43}|[0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|hook-\d+-\d+/g, '<made>')
  const shown = [...headers].filter(([name]) => !/^(x-request-id|date|content-length|x-ratelimit-.*)$/.test(name))
  return { status, headers: Object.fromEntries(shown), text }
}

const naming = cases.filter((name) => Object.keys(RULES[name]?.names ?? {}).length > 0)

describe.each(naming)('what %s names', (name) => {
  const rule = ruleOf(name)
  let worlds: [World, World] | undefined
  const by = ['FULL_ACCESS key', 'FULL_ACCESS key of all workspaces', 'an agent’s key'].filter(
    (who) => refusalOf(rule, somebody(who)) === null,
  )
  const places = Object.entries(rule.names).flatMap(([place, [what, expected]]) =>
    by.map((who) => ({ place, what, expected, who })),
  )

  test.each(places)('$place of another workspace is as one that is not there, for $who', async (given) => {
    const { place, what, expected, who } = given
    const isRead = name.startsWith('GET')
    const [mine, theirs] = worlds ?? [await newWorld(), await newWorld()]
    // What succeeds may take a name that the next one needs.
    worlds = expected >= 400 || isRead ? [mine, theirs] : undefined
    const asker = somebody(who)
    const key = (await asker.credential(mine)) as string
    const ask = (value: string) => {
      const request = replaced(rule.request(mine.own), place, value)
      const workspaceId = mine.tenant.workspaceId
      const query = asker.everywhere === undefined ? request.query : { ...request.query, workspaceId }
      return send(name, query === undefined ? request : { ...request, query }, key)
    }
    const [all, others] = [await digest(), await digest(theirs.tenant.workspaceId)]
    const foreign = await ask(theirs.own[what])
    expect(await digest(theirs.tenant.workspaceId)).toBe(others)
    if (expected >= 400 || isRead) expect(await digest()).toBe(all)
    const nothing = nobodys()[what]
    const unknown = await ask(nothing)
    expect([foreign.status, unknown.status]).toEqual([expected, expected])
    expect(comparable(foreign, theirs.own[what])).toEqual(comparable(unknown, nothing))
    if (isRead && expected === 200) expect(foreign.data).toEqual([])
  })
})

const LISTS = operations
  .filter(({ operation }) => operation.parameters?.some(({ $ref }) => $ref === '#/components/parameters/cursor'))
  .map(({ name }) => name)

describe('cursors', () => {
  test('the lists are found', () => {
    expect(LISTS.length).toBeGreaterThanOrEqual(6)
  })

  test.each(LISTS)('another workspace’s cursor shows nothing of it in %s', async (name) => {
    const { request } = ruleOf(name)
    const [mine, theirs] = [await newWorld(), await newWorld()]
    const everywhere = await keyOf(theirs, 'OWNER', 'FULL_ACCESS', 'all')
    const second = await ok(
      guddesk.call('POST', '/api/v1/workspaces', { name: 'Second', slug: `s-${randomUUID()}` }, { key: everywhere }),
    )
    // Two rows of everything, so that there is a cursor between them.
    await makeObjects(guddesk, theirs.tenant)
    const { conversationId } = theirs.own
    const message = { body: 'Another', type: 'AGENT' }
    const path = `/api/v1/conversations/${conversationId}/messages`
    await ok(guddesk.call('POST', path, message, { key: theirs.tenant.key }))
    const isGlobal = name === 'GET /v1/workspaces'
    const page = (query: object, own: Named, key: string) =>
      send(name, { ...request(own), query: { limit: '1', ...query } }, key)
    const first = await page({}, theirs.own, isGlobal ? everywhere : theirs.tenant.key)
    const cursor = first.body.meta.nextCursor
    expect(cursor).toEqual(expect.any(String))
    const answer = await page({ cursor, limit: '100' }, mine.own, mine.tenant.key)
    expect(answer.status).toBe(200)
    const own = new Set((await page({ limit: '100' }, mine.own, mine.tenant.key)).data.map(idOf))
    for (const row of answer.data) expect(own).toContain(idOf(row))
    expect(JSON.stringify(answer.body)).not.toContain(second.data.id)
  })
})

const idOf = (row: { id: string }) => row.id

describe('idempotency keys', () => {
  const posts = cases.filter((name) => name.startsWith('POST'))

  test.each(posts)('%s: the same one of another key, here or elsewhere, is another one', async (name) => {
    const rule = ruleOf(name)
    const [mine, theirs] = [await newWorld(), await newWorld()]
    const scope = rule.isGlobal === true ? ('all' as const) : undefined
    const keys = [
      await keyOf(theirs, 'OWNER', 'FULL_ACCESS', scope),
      await keyOf(mine, 'OWNER', 'FULL_ACCESS', scope),
      await keyOf(mine, 'OWNER', 'FULL_ACCESS', scope),
    ]
    const headers = { 'idempotency-key': randomUUID() }
    for (const [index, key] of keys.entries()) {
      const { own } = index === 0 ? theirs : mine
      const request = rule.request(own)
      const answer = await send(name, request, key, headers)
      expect([answer.status < 300, answer.headers.get('idempotency-replayed')]).toEqual([true, null])
      const repeated = await send(name, request, key, headers)
      expect([repeated.headers.get('idempotency-replayed'), repeated.body]).toEqual(['true', answer.body])
    }
  })
})
