import { type GraphQLInputType, getNamedType, isInputObjectType, isInterfaceType, isObjectType } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { schema } from '../../../src/resolvers/index.ts'
import { makeObjects } from '../../rest/objects.ts'
import { UNKNOWN } from '../../support/contract/unknown.ts'
import { quiet } from '../../support/event-log.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { type Digest, openDigest } from '../../support/rows/digest.ts'
import { until } from '../../support/until.ts'
import { type Live, overWebSocket } from '../live.ts'
import { ELSEWHERE, type Kind, PLACES } from './tenancy-places.ts'

// Every argument of the schema that takes an id or a cursor, with one's own, another workspace's and an unknown one.

/** One of everything with an id, in one workspace. */
interface World {
  readonly tenant: Tenant
  readonly ids: Record<Kind, string>
  readonly session: string
  readonly agentKey: string
}

/** Every path to an ID in an argument: `name`, or `name.field.…` in input objects. */
function idPaths(type: GraphQLInputType, path: string): string[] {
  const named = getNamedType(type)
  if (named.name === 'ID') return [path]
  if (!isInputObjectType(named)) return []
  return Object.values(named.getFields()).flatMap((field) => idPaths(field.type, `${path}.${field.name}`))
}

/** Fields by the type that says them: an interface, of which object types only have them, too. */
const fields = Object.values(schema.getTypeMap())
  .filter((type) => isObjectType(type) || isInterfaceType(type))
  .flatMap((type) =>
    Object.values(type.getFields())
      .filter(({ name }) => type.getInterfaces().every((each) => each.getFields()[name] === undefined))
      .map((field) => ({ name: `${type.name}.${field.name}`, field })),
  )
const idPlaces = fields.flatMap(({ name, field }) =>
  field.args.flatMap((argument) => idPaths(argument.type, argument.name).map((path) => `${name} ${path}`)),
)
const walks = fields.filter(({ field }) => field.args.some(({ name }) => name === 'after')).map(({ name }) => name)

let guddesk: TestGudDesk
let digest: Digest
let mine: World
let theirs: World

beforeAll(async () => {
  // Without a dispatcher nothing but these requests writes.
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  digest = await openDigest(guddesk.deps.db)
  mine = await newWorld()
  theirs = await newWorld()
  await quiet(guddesk)
})

afterAll(() => guddesk?.stop())

async function newWorld(): Promise<World> {
  const tenant = await guddesk.newTenant()
  const { key, workspaceId } = tenant
  const { agentKey, ...made } = await makeObjects(guddesk, tenant)
  const { prisma } = guddesk.deps.db
  const mutate = async (use: string) => {
    const { data } = await guddesk.graphql(`mutation { made: ${use} }`, {}, { key })
    return data.made.made.id as string
  }
  const collection = await mutate('createCollection(input: { name: "C" }) { made: collection { id } }')
  const invitation = await mutate(
    'inviteMember(input: { email: "a@example.com", role: VIEWER }) { made: invitation { id } }',
  )
  const session = await guddesk.newSession(tenant)
  const tags = [`of ${workspaceId}`]
  await guddesk.call('PATCH', `/api/v1/conversations/${made.conversationId}`, { tags }, { key })
  // So that the agent is in a conversation, and an article in the collection.
  const reply = { conversationId: made.conversationId, body: 'Hi' }
  await guddesk.call('POST', '/api/agent/reply', reply, { key: agentKey })
  await mutate(`createArticle(input: { title: "In", collectionId: "${collection}" }) { made: article { id } }`)
  // What happens now is delivered, twice to see pages of it.
  for (const text of ['Hello', 'Again']) await guddesk.newConversation(tenant, text)
  const { endpointId } = made
  const delivery = await prisma.delivery.findFirstOrThrow({ where: { endpointId } })
  const ids = {
    workspace: workspaceId,
    conversation: made.conversationId,
    visitor: made.visitorId,
    agent: made.agentId,
    endpoint: endpointId,
    member: made.memberId,
    article: made.articleId,
    collection,
    invitation,
    key: (await prisma.apiKey.findFirstOrThrow({ where: { workspaceId, agentId: null } })).id,
    delivery: delivery.id,
    session: (await prisma.session.findFirstOrThrow({ where: { userId: tenant.userId } })).id,
  }
  return { tenant, ids, session, agentKey }
}

test('every argument that takes an id is in the table', () => {
  expect([...Object.keys(PLACES), ...ELSEWHERE].sort()).toEqual(idPlaces.toSorted())
})

/** Whether nothing but nulls, zeros, empty lists and names of types is in there. */
function isNothing(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === null || value === 0
  return Object.values(value).every(isNothing)
}

function operation(place: string, id: string): { query: string; variables: object } {
  const [root = ''] = place.split('.')
  const use = PLACES[place]?.[1] ?? ''
  const { article, conversation } = mine.ids
  const own = Object.entries({ article, conversation }).filter(([name]) => use.includes(`$${name}`))
  const declared = ['$id: ID!', ...own.map(([name]) => `$${name}: ID!`)].join(', ')
  const query = `${root.toLowerCase()} (${declared}) { ${use} }`
  return { query, variables: { id, ...Object.fromEntries(own) } }
}

async function ask(place: string, id: string, key: string): Promise<unknown> {
  const { query, variables } = operation(place, id)
  const headers = { 'x-workspace-id': mine.tenant.workspaceId }
  if (!place.startsWith('Subscription')) {
    const { body } = await guddesk.graphql(query, variables, { key, headers })
    return JSON.parse(JSON.stringify({ data: body.data, errors: body.errors }).replaceAll(id, '<id>'))
  }
  const live = overWebSocket(guddesk, variables, { key, query })
  await until(() => live.isEnded() || live.events.length > 0)
  await live.stop()
  return JSON.parse(JSON.stringify({ data: { live: live.events }, errors: live.errors }).replaceAll(id, '<id>'))
}

interface Refused {
  readonly error?: { code: string } | null
}

interface Outcome {
  readonly data?: Record<string, (Refused & { results?: Refused[] | null }) | null> | null
  readonly errors?: { extensions?: { code?: string } }[]
}

function codeOf(answer: unknown): string {
  const { data, errors } = answer as Outcome
  const thrown = errors?.[0]?.extensions?.code
  if (thrown !== undefined) return thrown
  const [value] = Object.values(data ?? {})
  const refused = value?.error ?? value?.results?.[0]?.error
  return refused?.code.toLowerCase() ?? (isNothing(data) ? 'nothing' : 'something')
}

describe.each(Object.keys(PLACES))('%s', (place) => {
  const [kind, , answer] = PLACES[place] ?? ['visitor', '', 'nothing']

  test('another workspace’s is as one that is not there, and nothing is written', async () => {
    for (const key of [mine.tenant.key, mine.agentKey, mine.session]) {
      const before = await digest()
      const foreign = await ask(place, theirs.ids[kind], key)
      const unknown = await ask(place, UNKNOWN[kind], key)
      expect(foreign).toEqual(unknown)
      const isRefused = codeOf(unknown) === 'forbidden'
      if (!isRefused) expect(codeOf(foreign)).toBe(answer)
      expect(key === mine.session && isRefused).toBe(false)
      expect(await digest()).toBe(before)
    }
  })
})

// Afterwards, as some of these take away what others need.
describe('an own id is another matter', () => {
  const isRemoval = (place: string) => /delete|remove|uninstall|unregister|revoke|endSession|changeMember/.test(place)
  const order = Object.keys(PLACES).sort((a, b) => Number(isRemoval(a)) - Number(isRemoval(b)))

  test.each(order)('%s', async (place) => {
    const [kind, , answer] = PLACES[place] ?? ['visitor', '', 'nothing']
    const world = isRemoval(place) ? await newWorld() : mine
    const previous = mine
    mine = world
    const code = codeOf(await ask(place, world.ids[kind], world.session))
    mine = previous
    expect(code).not.toBe(answer)
    expect(code).not.toBe('forbidden')
  })
})

/** A walk below an object of one's own, by the field that has it. */
const BELOW: Record<string, (walk: string) => string> = {
  'Conversation.messages': (walk) => `node(id: $conversation) { ... on Conversation { ${walk} } }`,
  'Conversation.events': (walk) => `node(id: $conversation) { ... on Conversation { ${walk} } }`,
  'Agent.webhookEndpoints': (walk) => `node(id: $agent) { ... on Agent { ${walk} } }`,
  'Workspace.members': (walk) => `workspace { ${walk} }`,
  'Visitor.conversations': (walk) => `node(id: $visitor) { ... on Visitor { ${walk} } }`,
  'Conversation.deliveries': (walk) => `node(id: $delivery) { ... on Delivery { conversation { ${walk} } } }`,
  'Event.deliveries': (walk) => `node(id: $delivery) { ... on Delivery { event { ${walk} } } }`,
  'WebhookEndpoint.deliveries': (walk) => `node(id: $endpoint) { ... on WebhookEndpoint { ${walk} } }`,
  'Agent.conversations': (walk) => `node(id: $agent) { ... on Agent { ${walk} } }`,
  'Agent.apiKeys': (walk) => `node(id: $agent) { ... on Agent { ${walk} } }`,
  'Collection.articles': (walk) => `node(id: $collection) { ... on Collection { ${walk} } }`,
}

const ROW = 'edges { cursor node { id } }'
/** Of lists whose rows have no id. */
const ROWS: Record<string, string> = { 'Query.tags': 'edges { cursor node { id: name } }' }

interface Edge {
  readonly cursor: string
  readonly node: { readonly id: string }
}

/** Those of the only connection in an answer. */
function edgesIn(value: unknown): Edge[] {
  if (typeof value !== 'object' || value === null) throw new Error('There is no connection')
  if ('edges' in value) return value.edges as Edge[]
  const [inner] = Object.values(value)
  return edgesIn(inner)
}

describe('another workspace’s cursor shows nothing of it', () => {
  const lists = walks.filter((name) => !name.startsWith('Subscription'))
  const subscriptions = walks.filter((name) => name.startsWith('Subscription'))

  async function walk(name: string, { ids, session }: World, after: string | null): Promise<Edge[]> {
    const field = `${name.split('.')[1]}(first: 100, after: $after) { ${ROWS[name] ?? ROW} }`
    const use = (BELOW[name] ?? String)(field)
    const owner = Object.entries(ids).filter(([kind]) => use.includes(`$${kind})`))
    const declared = ['$after: String', ...owner.map(([kind]) => `$${kind}: ID!`)].join(', ')
    const variables = { after, ...Object.fromEntries(owner) }
    const { body } = await guddesk.graphql(`query (${declared}) { ${use} }`, variables, { key: session })
    expect([name, body.errors?.map(({ extensions }: { extensions: object }) => extensions)]).toEqual([name, undefined])
    return edgesIn(body.data)
  }

  test('the walks are found, and all that are below something are known', () => {
    expect(lists.length).toBeGreaterThan(12)
    expect(lists.filter((name) => !name.startsWith('Query')).sort()).toEqual(Object.keys(BELOW).sort())
    expect(subscriptions.sort()).toEqual(['Subscription.conversation', 'Subscription.events', 'Subscription.inbox'])
  })

  test.each(lists)('%s', async (name) => {
    const [cursor] = await walk(name, theirs, null)
    expect(cursor).toBeDefined()
    const own = (await walk(name, mine, null)).map(({ node }) => node.id)
    expect(own.length).toBeGreaterThan(0)
    for (const { node } of await walk(name, mine, cursor?.cursor ?? '')) expect(own).toContain(node.id)
  })

  const FEEDS: Record<string, string> = {
    'Subscription.conversation': `conversation(id: $conversation, after: $after) {
      ... on ConversationChanged { cursor conversation { id } } ... on MessageAdded { cursor message { id conversationId } } }`,
    'Subscription.events': 'events(after: $after) { cursor event { id conversation { id } payload } }',
    'Subscription.inbox': 'inbox(after: $after) { cursor conversations { id } removedIds }',
  }

  function follow(name: string, { ids, session }: World, after: string | null): Live<{ cursor: string }> {
    const variables = name.endsWith('.conversation') ? { after, conversation: ids.conversation } : { after }
    const declared = name.endsWith('.conversation') ? '$after: String, $conversation: ID!' : '$after: String'
    const query = `subscription (${declared}) { ${FEEDS[name]} }`
    return overWebSocket(guddesk, variables, { key: session, query })
  }

  async function cursorOf(name: string, world: World): Promise<string> {
    if (name === 'Subscription.events') return (await walk('Query.events', world, null))[0]?.cursor ?? ''
    const live = follow(name, world, null)
    await until(() => live.events.length > 0)
    await live.stop()
    return live.events[0]?.cursor ?? ''
  }

  test.each(subscriptions)('%s', async (name) => {
    const after = await cursorOf(name, theirs)
    expect(after).not.toBe('')
    const live = follow(name, mine, after)
    for (const { ids, tenant } of [theirs, mine]) {
      const path = `/api/v1/conversations/${ids.conversation}/messages`
      await guddesk.call('POST', path, { body: 'Now', type: 'AGENT' }, { key: tenant.key })
    }
    await until(() => live.isEnded() || live.events.length > 0)
    await live.stop()
    const shown = JSON.stringify([live.events, live.errors])
    for (const id of Object.values(theirs.ids)) expect(shown).not.toContain(id)
    for (const code of live.errors.map(({ extensions }) => extensions?.['code'])) expect(code).toBe('bad_request')
  })
})
