import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../../src/domain/shared/ids.ts'
import type { ApiKeyPermission, MemberRole } from '../../../src/generated/prisma/enums.ts'
import { sha256 } from '../../../src/infra/secrets.ts'
import { type Answer, startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { type Digest, openDigest } from '../../support/rows/digest.ts'
import { makeObjects, nextUrl, type Objects, ok } from '../objects.ts'

// Every operation of the OpenAPI document × everybody who may call it × one's own, another workspace's and unknown ids.

/** What a workspace has that a request can name, by whatever names it. */
interface Named extends Objects {
  readonly collectionId: string
  readonly externalId: string
  readonly email: string
  readonly slug: string
}

/** A request that succeeds for whoever may make it. */
interface Request {
  readonly id?: string
  readonly query?: Record<string, string>
  readonly body?: Record<string, unknown>
}

interface Rule {
  readonly needs: ApiKeyPermission
  /** An agent's key; `own` is its own agent or endpoint, and another agent's is answered with this status. */
  readonly agent: boolean | { readonly neighbour: 403 | 404 }
  /** Of the person behind the key, besides the permission. */
  readonly roles?: readonly MemberRole[]
  /** Only for keys of all workspaces: it is about none of them. */
  readonly isGlobal?: true
  readonly request: (own: Named) => Request
  /**
   * Every place that names something, as `path`, `query.…` or `body.…`: what it names, and the status of an answer to
   * what the workspace does not have.
   */
  readonly names: Record<string, readonly [keyof Named, number]>
}

const id = (what: keyof Named, status = 404): Rule['names'] => ({ path: [what, status] })
const read = (request: Rule['request'] = () => ({}), names: Rule['names'] = {}): Rule => {
  return { needs: 'READ_ONLY', agent: true, request, names }
}
const write = (request: Rule['request'], names: Rule['names'] = {}): Rule => {
  return { needs: 'READ_WRITE', agent: true, request, names }
}

const RULES: Record<string, Rule> = {
  'GET /v1/workspaces': read(),
  'POST /v1/workspaces': {
    needs: 'FULL_ACCESS',
    agent: false,
    isGlobal: true,
    request: () => ({ body: { name: 'New', slug: `new-${randomUUID()}` } }),
    // One address space for all workspaces: that a slug is taken is told.
    names: {},
  },
  'GET /v1/workspaces/{id}': read(({ workspaceId }) => ({ id: workspaceId }), id('workspaceId')),
  'PATCH /v1/workspaces/{id}': {
    ...write(({ workspaceId }) => ({ id: workspaceId, body: { name: 'Changed' } }), id('workspaceId')),
    agent: false,
    roles: ['OWNER', 'ADMIN'],
  },
  'DELETE /v1/workspaces/{id}': {
    needs: 'FULL_ACCESS',
    agent: false,
    roles: ['OWNER'],
    request: ({ workspaceId }) => ({ id: workspaceId }),
    names: id('workspaceId'),
  },
  'GET /v1/conversations': read(({ visitorId }) => ({ query: { visitorId } }), {
    'query.assigneeId': ['memberId', 200],
    'query.visitorId': ['visitorId', 200],
  }),
  'POST /v1/conversations': write(({ visitorId }) => ({ body: { visitorId, message: 'Hello' } }), {
    'body.visitorId': ['visitorId', 400],
  }),
  'GET /v1/conversations/{id}': read(({ conversationId }) => ({ id: conversationId }), id('conversationId')),
  'PATCH /v1/conversations/{id}': write(({ conversationId }) => ({ id: conversationId, body: { priority: 2 } }), {
    ...id('conversationId'),
    'body.assigneeId': ['memberId', 400],
  }),
  'GET /v1/conversations/{id}/messages': read(({ conversationId }) => ({ id: conversationId }), id('conversationId')),
  'POST /v1/conversations/{id}/messages': write(
    ({ conversationId }) => ({ id: conversationId, body: { body: 'Hi', type: 'AGENT' } }),
    id('conversationId'),
  ),
  'GET /v1/customers': read(() => ({}), { 'query.email': ['email', 200], 'query.externalId': ['externalId', 200] }),
  'POST /v1/customers': write(() => ({ body: { name: 'Carla' } }), {
    'body.email': ['email', 201],
    'body.externalId': ['externalId', 201],
  }),
  'GET /v1/customers/{id}': read(({ visitorId }) => ({ id: visitorId }), id('visitorId')),
  'PATCH /v1/customers/{id}': write(({ visitorId }) => ({ id: visitorId, body: { name: 'Changed' } }), {
    ...id('visitorId'),
    'body.email': ['email', 200],
    'body.externalId': ['externalId', 200],
  }),
  'GET /v1/articles': read(() => ({}), { 'query.collectionId': ['collectionId', 200] }),
  'POST /v1/articles': write(() => ({ body: { title: randomUUID() } }), {
    'body.collectionId': ['collectionId', 400],
    'body.slug': ['slug', 201],
  }),
  'GET /v1/articles/{id}': read(({ articleId }) => ({ id: articleId }), id('articleId')),
  'PATCH /v1/articles/{id}': write(({ articleId }) => ({ id: articleId, body: { title: 'Changed' } }), {
    ...id('articleId'),
    'body.collectionId': ['collectionId', 400],
    'body.slug': ['slug', 200],
  }),
  'DELETE /v1/articles/{id}': {
    needs: 'FULL_ACCESS',
    agent: false,
    request: ({ articleId }) => ({ id: articleId }),
    names: id('articleId'),
  },
  'GET /v1/agents': read(),
  'POST /v1/agents': {
    ...write(() => ({ body: { name: 'Bot', webhookUrl: nextUrl() } }), { 'body.webhookUrl': ['endpointUrl', 201] }),
    agent: false,
  },
  'GET /v1/agents/{id}': read(({ agentId }) => ({ id: agentId }), id('agentId')),
  'PATCH /v1/agents/{id}': {
    ...write(({ agentId }) => ({ id: agentId, body: { name: 'Changed' } }), {
      ...id('agentId'),
      'body.webhookUrl': ['endpointUrl', 200],
    }),
    agent: { neighbour: 403 },
  },
  'DELETE /v1/agents/{id}': {
    needs: 'FULL_ACCESS',
    agent: false,
    request: ({ agentId }) => ({ id: agentId }),
    names: id('agentId'),
  },
  'POST /agent/reply': write(({ conversationId }) => ({ body: { conversationId, body: 'Hi' } }), {
    'body.conversationId': ['conversationId', 404],
  }),
  'POST /agent/typing': write(({ conversationId }) => ({ body: { conversationId, typing: true } }), {
    'body.conversationId': ['conversationId', 404],
  }),
  'GET /agent/webhooks': read(),
  'POST /agent/webhooks': {
    needs: 'FULL_ACCESS',
    agent: true,
    request: () => ({ body: { url: nextUrl() } }),
    names: { 'body.url': ['endpointUrl', 201] },
  },
  'DELETE /agent/webhooks': {
    needs: 'FULL_ACCESS',
    agent: { neighbour: 404 },
    request: ({ endpointId }) => ({ body: { endpointId } }),
    names: { 'body.endpointId': ['endpointId', 404], 'body.url': ['endpointUrl', 404] },
  },
}

interface OpenApiOperation {
  readonly parameters?: { readonly name?: string; readonly in?: string; readonly $ref?: string }[]
  readonly requestBody?: { content: { 'application/json': { schema: { properties?: object } } } }
}

const document = JSON.parse(readFileSync(new URL('../../../openapi.json', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, OpenApiOperation>>
}
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
)
const cases = operations.map(({ name }) => name)

/** Names of parameters and fields whose values name something of a workspace. */
const NAMING = /^(id|\w+Id|url|webhookUrl|slug|email)$/

/** Where an operation takes what names something, as a rule's `names` says it. */
function namingPlaces({ parameters = [], requestBody }: OpenApiOperation): string[] {
  const own = parameters.flatMap(({ name, in: where }) => (name === undefined ? [] : [{ name, where }]))
  const named = own.filter(({ name }) => NAMING.test(name))
  const fields = Object.keys(requestBody?.content['application/json'].schema.properties ?? {})
  return [
    ...named.map(({ name, where }) => (where === 'path' ? 'path' : `${where}.${name}`)),
    ...fields.filter((name) => NAMING.test(name)).map((name) => `body.${name}`),
  ]
}

test('every operation of the OpenAPI document has a rule, and every rule an operation', () => {
  expect(Object.keys(RULES).sort()).toEqual(cases.toSorted())
})

test.each(operations)('the rule of $name knows everything that it can name', ({ name, operation }) => {
  // The slug of a workspace is the one name that all workspaces share.
  const places = namingPlaces(operation).filter(
    (place) => !(/^(POST|PATCH) .v1.workspaces/.test(name) && place === 'body.slug'),
  )
  expect(Object.keys(RULES[name]?.names ?? {}).sort()).toEqual(places.toSorted())
})

let guddesk: TestGudDesk
let digest: Digest

beforeAll(async () => {
  // Without a dispatcher nothing but these requests writes.
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  digest = await openDigest(guddesk.deps.db)
})

afterAll(() => guddesk?.stop())

function send(name: string, request: Request, key: string | null, headers: Record<string, string> = {}) {
  const [method = '', path = ''] = name.split(' ')
  const query = new URLSearchParams(request.query).toString()
  const url = `/api${path.replace('{id}', encodeURIComponent(request.id ?? ''))}${query && `?${query}`}`
  return guddesk.call(method, url, request.body, { key, headers })
}

/** A workspace with one of everything that can be named. */
async function makeNamed(tenant: Tenant): Promise<Named> {
  const { key } = tenant
  const objects = await makeObjects(guddesk, tenant)
  const names = { externalId: randomUUID(), email: `${randomUUID()}@example.com`, slug: `slug-${randomUUID()}` }
  const { externalId, email, slug } = names
  await ok(guddesk.call('POST', '/api/v1/customers', { name: 'Named', externalId, email }, { key }))
  await ok(guddesk.call('POST', '/api/v1/articles', { title: 'Named', slug }, { key }))
  const collectionId = newId('collection')
  const data = { id: collectionId, workspaceId: tenant.workspaceId, name: 'Money' }
  await guddesk.deps.db.prisma.collection.create({ data })
  return { ...objects, ...names, collectionId }
}

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

/** Who calls. `level` is what the key is really worth in the workspace. */
interface Who {
  readonly kind: 'refused' | 'key' | 'agent'
  /** The status of a refusal. */
  readonly status?: 401 | 403
  readonly level?: ApiKeyPermission
  readonly role?: MemberRole
  /** The key's own permission, for keys of all workspaces. */
  readonly everywhere?: ApiKeyPermission
  /** An agent that is not the one of the objects. */
  readonly isNeighbour?: true
  /** The Authorization header's credential, or the other headers. */
  readonly credential: (world: World) => Promise<string | null | { headers: Record<string, string> }>
}

interface World {
  readonly tenant: Tenant
  readonly own: Named
}

async function newWorld(): Promise<World> {
  const tenant = await guddesk.newTenant()
  return { tenant, own: await makeNamed(tenant) }
}

async function keyOf(
  { tenant }: World,
  role: MemberRole,
  permission: ApiKeyPermission,
  scope?: 'all',
): Promise<string> {
  const person = role === 'OWNER' ? tenant : { ...tenant, ...(await guddesk.newMember(tenant, role, role)) }
  return guddesk.newKey(person, permission, scope)
}

async function endedKey(world: World, data: object): Promise<string> {
  const key = await keyOf(world, 'OWNER', 'FULL_ACCESS')
  await guddesk.deps.db.prisma.apiKey.update({ where: { hash: sha256(key) }, data })
  return key
}

async function anotherAgent({ tenant }: World): Promise<{ id: string; key: string }> {
  const bot = { name: 'Neighbour', webhookUrl: nextUrl() }
  const { data } = await ok(guddesk.call('POST', '/api/v1/agents', bot, { key: tenant.key }))
  return { id: data.id, key: data.credentials.apiKey }
}

const aKey = (role: MemberRole, permission: ApiKeyPermission, level = permission): Who => {
  return { kind: 'key', role, level, credential: (world) => keyOf(world, role, permission) }
}
const everywhereKey = (role: MemberRole, everywhere: ApiKeyPermission, level = everywhere): Who => {
  return { kind: 'key', role, level, everywhere, credential: (world) => keyOf(world, role, everywhere, 'all') }
}
const refused = (status: 401 | 403, credential: Who['credential']): Who => ({ kind: 'refused', status, credential })

const EVERYBODY: Record<string, Who> = {
  nobody: refused(401, async () => null),
  'a key that nobody has': refused(401, async () => `gd_${'A'.repeat(43)}`),
  'READ_ONLY key': aKey('OWNER', 'READ_ONLY'),
  'READ_WRITE key': aKey('OWNER', 'READ_WRITE'),
  'FULL_ACCESS key': aKey('OWNER', 'FULL_ACCESS'),
  'FULL_ACCESS key of an ADMIN': aKey('ADMIN', 'FULL_ACCESS'),
  'FULL_ACCESS key of an AGENT': aKey('AGENT', 'FULL_ACCESS', 'READ_WRITE'),
  'FULL_ACCESS key of a VIEWER': aKey('VIEWER', 'FULL_ACCESS', 'READ_ONLY'),
  'READ_ONLY key of all workspaces': everywhereKey('OWNER', 'READ_ONLY'),
  'FULL_ACCESS key of all workspaces': everywhereKey('OWNER', 'FULL_ACCESS'),
  'FULL_ACCESS key of a VIEWER’s all workspaces': everywhereKey('VIEWER', 'FULL_ACCESS', 'READ_ONLY'),
  'an agent’s key': { kind: 'agent', credential: async ({ own }) => own.agentKey },
  'another agent’s key': { kind: 'agent', isNeighbour: true, credential: async (w) => (await anotherAgent(w)).key },
  'a disabled agent’s key': refused(403, async (world) => {
    const { id, key } = await anotherAgent(world)
    await ok(guddesk.call('PATCH', `/api/v1/agents/${id}`, { isEnabled: false }, { key: world.tenant.key }))
    return key
  }),
  'an uninstalled agent’s key': refused(401, async (world) => {
    const { id, key } = await anotherAgent(world)
    await ok(guddesk.call('DELETE', `/api/v1/agents/${id}`, undefined, { key: world.tenant.key }))
    return key
  }),
  'a revoked key': refused(401, (world) => endedKey(world, { revokedAt: new Date() })),
  'a disabled key': refused(401, (world) => endedKey(world, { isEnabled: false })),
  'an expired key': refused(401, (world) => endedKey(world, { expiresAt: new Date(0) })),
  'the key of somebody who has left': refused(401, async ({ tenant }) => {
    const member = await guddesk.newMember(tenant, 'Leaver', 'ADMIN')
    const key = await guddesk.newKey({ ...tenant, ...member }, 'FULL_ACCESS')
    const removing = 'mutation ($input: RemoveMemberInput!) { removeMember(input: $input) { __typename } }'
    await guddesk.graphql(removing, { input: { memberId: member.memberId } }, { key: tenant.key })
    return key
  }),
  'an owner’s session': refused(401, ({ tenant }) => guddesk.newSession(tenant)),
  'an owner’s session, as a cookie': refused(401, async ({ tenant }) => {
    const cookie = `guddesk.session_token=${encodeURIComponent(await guddesk.newSession(tenant))}`
    return { headers: { cookie, origin: guddesk.origin } }
  }),
}

const LEVELS: ApiKeyPermission[] = ['READ_ONLY', 'READ_WRITE', 'FULL_ACCESS']
const reaches = (has: ApiKeyPermission | undefined, needs: ApiKeyPermission) =>
  has !== undefined && LEVELS.indexOf(has) >= LEVELS.indexOf(needs)

/** The status that a rule means for somebody; null: the request succeeds. */
function refusalOf(rule: Rule, who: Who): number | null {
  if (who.kind === 'refused') return who.status ?? 401
  if (who.kind === 'agent') {
    if (typeof rule.agent === 'object') return who.isNeighbour === true ? rule.agent.neighbour : null
    return rule.agent ? null : 403
  }
  if (rule.isGlobal === true) return reaches(who.everywhere, rule.needs) ? null : 403
  if (!reaches(who.level, rule.needs)) return 403
  return rule.roles === undefined || (who.role !== undefined && rule.roles.includes(who.role)) ? null : 403
}

function somebody(name: string): Who {
  const who = EVERYBODY[name]
  if (who === undefined) throw new Error(`there is nobody called ${name}`)
  return who
}

function ruleOf(name: string): Rule {
  const rule = RULES[name]
  if (rule === undefined) throw new Error(`${name} has no rule`)
  return rule
}

describe.each(cases)('who may call %s', (name) => {
  let world: World | undefined

  test.each(Object.entries(EVERYBODY))('%s', async (_name, who) => {
    const rule = ruleOf(name)
    world ??= await newWorld()
    const { own, tenant } = world
    const credential = await who.credential(world)
    const isHeader = typeof credential === 'object' && credential !== null
    const asked = rule.request(who.kind === 'agent' ? { ...own, ...(await endpointOf(own.agentId)) } : own)
    const isScoped = who.everywhere === undefined
    const request = isScoped ? asked : { ...asked, query: { ...asked.query, workspaceId: tenant.workspaceId } }
    const before = await digest()
    const answer = await send(name, request, isHeader ? null : credential, isHeader ? credential.headers : {})
    const expected = refusalOf(rule, who)
    if (expected === null) {
      expect([answer.status < 300, answer.error]).toEqual([true, undefined])
      if (name.startsWith('DELETE')) world = undefined
      return
    }
    expect([answer.status, answer.error?.status]).toEqual([expected, expected])
    expect(await digest()).toBe(before)
  })
})

async function endpointOf(agentId: string): Promise<{ endpointId: string; endpointUrl: string }> {
  const endpoint = await guddesk.deps.db.prisma.webhookEndpoint.findFirstOrThrow({ where: { agentId } })
  return { endpointId: endpoint.id, endpointUrl: endpoint.url }
}

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
