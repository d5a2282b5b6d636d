import { type GraphQLField, type GraphQLObjectType, isNonNullType, isObjectType } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { schema } from '../../../src/resolvers/index.ts'
import { makeObjects } from '../../rest/objects.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'
import { EVENT_TYPES, everyEvent, objectTypeOf } from '../../support/rows/every-event.ts'
import { ASKERS, type Asker, type AskerName, isAllowed, makeKeys } from './askers.ts'
import { ROOT_FIELDS, RULES, type Rule } from './matrix-rules.ts'

// A refused field is null, with its error, and the fields beside it keep their data. Generated from the permission rules: a
// new root field fails matrix.test.ts until it has one.

let guddesk: TestGudDesk
let keys: Record<AskerName, string | null>
let stranger: Tenant
/** Objects of the workspace, by the names of their types. */
let objects: Record<string, string>

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  keys = await makeKeys(guddesk)
  stranger = await guddesk.newTenant()
  const { tenant } = guddesk
  const { conversationId, visitorId, agentId, endpointId, articleId } = await makeObjects(guddesk, tenant)
  const { ids } = await everyEvent(guddesk, tenant, { endpoint: { id: endpointId, agentId: null } })
  const { data } = await guddesk.graphql('mutation { createCollection(input: { name: "C" }) { collection { id } } }')
  objects = {
    Workspace: tenant.workspaceId,
    Member: tenant.memberId,
    Conversation: conversationId,
    Visitor: visitorId,
    Agent: agentId,
    WebhookEndpoint: endpointId,
    Article: articleId,
    ...Object.fromEntries(EVENT_TYPES.map((type) => [objectTypeOf(type), ids[type]])),
    Collection: data.createCollection.collection.id,
  }
})

afterAll(() => guddesk?.stop())

async function ask(query: string, key: string | null) {
  const headers = { 'x-workspace-id': guddesk.tenant.workspaceId }
  return (await guddesk.call('POST', '/graphql', { query }, { key, headers })).body
}

/** A field with data for each that may ask for it; the first that is allowed is asked for beside a refused one. */
const NEIGHBOURS = ['Query.inboxCounts', 'Query.workspaces', 'Query.me']

interface Neighbour {
  readonly use: string
  readonly data: unknown
}

const TYPENAME = (root: string): Neighbour => ({ use: 'neighbour: __typename', data: root })

function neighbourOf(root: string, asker: Asker): Neighbour {
  const found = root === 'Query' ? NEIGHBOURS.find((field) => isAllowed(ruleOf(field), asker)) : undefined
  // Who is nobody may ask for the type alone; a mutation has no fields that only read.
  return found === undefined ? TYPENAME(root) : { use: `neighbour: ${ruleOf(found).use}`, data: expect.any(Object) }
}

function ruleOf(field: string): Rule {
  const rule = RULES[field]
  if (rule === undefined) throw new Error(`${field} has no rule`)
  return rule
}

const refusals = ROOT_FIELDS.filter((field) => !field.startsWith('Subscription.')).flatMap((field) =>
  Object.entries<Asker>(ASKERS)
    .filter(([, asker]) => !isAllowed(ruleOf(field), asker))
    .map(([name, asker]) => ({ field, name: name as AskerName, asker, rule: ruleOf(field) })),
)

test('every kind of asker is refused something, and whoever has a credential has a neighbour with data', () => {
  const names = new Set(refusals.map(({ name }) => name))
  // Owners who are signed in may do everything.
  expect([...names, 'OWNER'].sort()).toEqual(Object.keys(ASKERS).sort())
  for (const [name, asker] of Object.entries<Asker>(ASKERS)) {
    expect([name, neighbourOf('Query', asker).data === 'Query']).toEqual([name, asker.by === 'nobody'])
  }
})

test.each(refusals)(
  '$field, refused to $name, leaves its neighbours their data',
  async ({ field, name, asker, rule }) => {
    const [root = '', fieldName = ''] = field.split('.')
    const neighbour = neighbourOf(root, asker)
    const body = await ask(`${root.toLowerCase()} { ${rule.use} ${neighbour.use} }`, keys[name])
    expect(body.data?.neighbour).toEqual(neighbour.data)
    if (root === 'Mutation' && asker.by !== 'nobody') {
      expect(body.errors).toBeUndefined()
      return expect(body.data[fieldName].error.code).toBe('FORBIDDEN')
    }
    expect(body.data[fieldName]).toBeNull()
    const code = asker.by === 'nobody' ? 'unauthorized' : 'forbidden'
    expect(body.errors).toMatchObject([{ path: [fieldName], extensions: { code } }])
    expect(body.errors).toHaveLength(1)
  },
)

/** Fields of objects with arguments that can be refused: all lists in pages. */
const objectTypes = Object.values(schema.getTypeMap())
  .filter((type) => isObjectType(type))
  .filter(({ name }) => !name.startsWith('__'))
const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
const fieldsOf = (type: GraphQLObjectType | null | undefined) =>
  Object.values<GraphQLField<unknown, unknown>>(type?.getFields() ?? {})
const nestedLists = objectTypes
  .filter((type) => !roots.some((root) => root === type))
  .flatMap((type) => fieldsOf(type).map((field) => ({ type: type.name, field })))
  .filter(({ field }) => field.args.length > 0)
  .map(({ type, field: { name } }) => ({ type, name }))

const rootLists = fieldsOf(schema.getQueryType())
  .filter(({ args }) => args.some(({ name }) => name === 'first'))
  .map(({ name }) => name)

describe('an argument that is refused', () => {
  const BAD_ARGUMENTS = ['first: 0', 'first: 101', 'after: "malformed"', 'first: 1, last: 1']
  const NEIGHBOUR = 'neighbour: inboxCounts { total }'

  const cases = rootLists.flatMap((name) => {
    const isPaged = ruleOf(`Query.${name}`).use.includes('edges')
    return (isPaged ? BAD_ARGUMENTS : ['first: 0']).map((bad) => ({ name, bad }))
  })

  test.each(cases)('$name($bad) leaves its neighbours their data', async ({ name, bad }) => {
    const { use } = ruleOf(`Query.${name}`)
    const asked = use.includes('(') ? use.replace('(', `(${bad}, `) : use.replace(name, `${name}(${bad})`)
    const body = await ask(`{ ${asked} ${NEIGHBOUR} }`, keys['OWNER'])
    expect(body.data?.neighbour).toEqual({ total: expect.any(Number) })
    expect(body.data[name]).toBeNull()
    expect(body.errors).toMatchObject([{ path: [name], extensions: { code: 'bad_request' } }])
  })

  test.each(nestedLists.flatMap((list) => BAD_ARGUMENTS.map((bad) => ({ ...list, bad }))))(
    '$type.$name($bad) leaves the other fields of its object their data',
    async ({ type, name, bad }) => {
      const id = objects[type]
      if (id === undefined) throw new Error(`There is no ${type} here: add one to objects`)
      const selection = `... on ${type} { neighbour: id ${name}(${bad}) { edges { cursor } } }`
      const body = await ask(`{ node(id: "${id}") { ${selection} } }`, keys['OWNER'])
      expect(body.data?.node).toEqual({ neighbour: id, [name]: null })
      expect(body.errors).toMatchObject([{ path: ['node', name], extensions: { code: 'bad_request' } }])
    },
  )
})

describe('a key of another workspace', () => {
  // A bound key acts in its own workspace, whatever the header says: it finds nothing here, and its own data beside.
  const CASES: Record<string, { use: (ids: typeof objects) => string; code: string | null }> = {
    conversation: { use: (ids) => `conversation(id: "${ids['Conversation']}") { id }`, code: null },
    article: { use: (ids) => `article(id: "${ids['Article']}") { id }`, code: null },
    visitor: { use: (ids) => `visitor(id: "${ids['Visitor']}") { id }`, code: null },
    node: { use: (ids) => `node(id: "${ids['Workspace']}") { id }`, code: null },
    agentRemoval: { use: (ids) => `agentRemoval(id: "${ids['Agent']}") { webhookUrls }`, code: 'not_found' },
    memberRemoval: { use: (ids) => `memberRemoval(id: "${ids['Member']}") { agentNames }`, code: 'not_found' },
  }

  test('every root field that names one object is among these', () => {
    const byId = fieldsOf(schema.getQueryType()).filter(({ args }) => args.some(({ name }) => name === 'id'))
    expect(byId.map(({ name }) => name).sort()).toEqual(Object.keys(CASES).sort())
  })

  test.each(Object.entries(CASES))('%s finds nothing, and the neighbour is its own', async (name, { use, code }) => {
    const body = await ask(`{ ${use(objects)} neighbour: workspace { id } }`, stranger.key)
    expect(body.data).toEqual({ [name]: null, neighbour: { id: stranger.workspaceId } })
    if (code === null) return expect(body.errors).toBeUndefined()
    expect(body.errors).toMatchObject([{ path: [name], extensions: { code } }])
  })
})

test('whatever a role, a filter or an argument can refuse is nullable', () => {
  const refusable = objectTypes
    .filter((type) => type !== schema.getSubscriptionType())
    .flatMap((type) => {
      const isRoot = type === schema.getQueryType() || type === schema.getMutationType()
      return fieldsOf(type)
        .filter(({ args }) => isRoot || args.length > 0)
        .map((field) => ({ coordinate: `${type.name}.${field.name}`, field }))
    })
  const names = refusable.filter(({ field }) => isNonNullType(field.type)).map(({ coordinate }) => coordinate)
  expect(names).toEqual([])
  // Of the roots, what somebody is refused by the rules above; of the rest, the lists.
  const found = refusable.map(({ coordinate }) => coordinate)
  expect(found).toEqual(expect.arrayContaining(refusals.map(({ field }) => field)))
  expect(found).toEqual(expect.arrayContaining(nestedLists.map(({ type, name }) => `${type}.${name}`)))
})
