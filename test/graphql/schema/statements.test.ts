import {
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  getNamedType,
  getNullableType,
  isAbstractType,
  isInterfaceType,
  isLeafType,
  isListType,
  isObjectType,
  isRequiredArgument,
  Kind,
  parse,
} from 'graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inEventTransaction } from '../../../src/domain/events/event-lock.ts'
import { recordEvent, SYSTEM } from '../../../src/domain/events/events.ts'
import { newId } from '../../../src/domain/shared/ids.ts'
import { measure } from '../../../src/graphql/cost.ts'
import { LIMITS } from '../../../src/graphql/limits.ts'
import { schema } from '../../../src/resolvers/index.ts'
import { quiet } from '../../support/event-log.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { statementsOf } from '../../support/statements.ts'

let guddesk: TestGudDesk
/** Somebody's who is signed in, and may do everything. */
let session: string
/** Rows of every list: first so many, then so many. A list that reads for each of its rows needs more statements then. */
const [FEW, MANY] = [2, 20]
/** How many lists within one another. */
const DEPTH = 3

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  session = await guddesk.newSession(guddesk.tenant)
})

afterAll(() => guddesk?.stop())

let made = 0
const latest = { conversation: '', visitors: [] as string[] }

/** Another of everything, with something in each of its lists. */
async function grow(): Promise<void> {
  made++
  const { tenant } = guddesk
  const { prisma } = guddesk.deps.db
  guddesk.clock.advance(1000)
  const webhookUrl = `http://127.0.0.1:9/statements/${made}`
  // Few hear of everything: deliveries would grow with the square.
  const events = { onMessageCreated: made <= FEW, onConversationCreated: true }
  const { data: agent } = await guddesk.call('POST', '/api/v1/agents', { name: `Bot ${made}`, webhookUrl, events })
  const id = await guddesk.newConversation(tenant, 'Hello')
  const { data: conversation } = await guddesk.call('GET', `/api/v1/conversations/${id}`)
  Object.assign(latest, { conversation: id, visitors: [...latest.visitors, conversation.visitor.id] })
  const { memberId } = await guddesk.newMember(tenant, 'Mia')
  // Several endpoints of an agent.
  await guddesk.call('POST', '/api/agent/webhooks', { url: `${webhookUrl}/b` }, { key: agent.credentials.apiKey })
  await guddesk.call('PATCH', `/api/v1/conversations/${id}`, { assigneeId: memberId })
  const messages = `/api/v1/conversations/${id}/messages`
  await guddesk.call('POST', messages, { body: 'from a member', type: 'AGENT' })
  await guddesk.call('POST', messages, { body: 'from a key', type: 'AGENT' })
  await guddesk.call('POST', messages, { body: 'from a bot' }, { key: agent.credentials.apiKey })
  await prisma.message.updateMany({ where: { conversationId: id, sequence: 2 }, data: { senderId: memberId } })
  if (made === 1) {
    // One event of every type, so that the first page of the log has more of them once there are many rows.
    await guddesk.call('POST', messages, { body: 'a note', type: 'NOTE' })
    await guddesk.call('PATCH', `/api/v1/conversations/${id}`, { status: 'CLOSED' })
    await guddesk.call('PATCH', `/api/v1/customers/${conversation.visitor.id}`, { name: 'Nora' })
    await recordEndpointEvents(agent.webhookEndpoint.id, agent.id)
  }
  const startedAt = guddesk.clock.now()
  const deliveries = await prisma.delivery.findMany({ where: { conversationId: id } })
  const attempt = { number: 1, startedAt, durationMs: 5, statusCode: 200 }
  await prisma.deliveryAttempt.createMany({
    data: deliveries.map((delivery) => ({ ...attempt, deliveryId: delivery.id })),
  })
  const owner = { id: newId('member'), userId: tenant.userId, role: 'OWNER' } as const
  const workspace = { id: newId('workspace'), name: 'Another', slug: `another-${made}` }
  await prisma.workspace.create({ data: { ...workspace, members: { create: owner } } })
  await guddesk.newSession(tenant)
  // After the agent's, so that every page has keys of both kinds.
  await guddesk.newKey(tenant, 'READ_ONLY')
  // In the audit log, beside the agent, so that a page of any length has entries about both.
  await guddesk.call('POST', '/api/agent/webhooks', { url: `${webhookUrl}/own`, events: { onMessageCreated: false } })
  const money = `mutation { createCollection(input: { name: "Money ${made}" }) {
    collection { id } } }`
  const { createCollection } = (await guddesk.graphql(money)).data
  const article = { title: `Refunds ${id}`, body: 'Ask us.', collectionId: createCollection.collection.id }
  await guddesk.call('POST', '/api/v1/articles', article)
  const expiresAt = new Date(startedAt.getTime() + 86_400_000)
  const invited = { email: `${made}@example.com`, role: 'AGENT', tokenHash: `${made}`, expiresAt } as const
  await prisma.invitation.create({ data: { ...invited, id: newId('invitation'), workspaceId: tenant.workspaceId } })
}

/** What the dispatcher records of an endpoint that fails for days. */
async function recordEndpointEvents(endpointId: string, agentId: string): Promise<void> {
  const { workspaceId } = guddesk.tenant
  const at = guddesk.clock.now()
  const envelope = { workspaceId, conversationId: null, actor: SYSTEM, at }
  const data = { endpointId, url: 'http://127.0.0.1:9/', agentId, workspaceId }
  const times = { failingSince: at.toISOString(), disabledAt: at.toISOString() }
  await inEventTransaction(guddesk.deps, { workspaceId }, async (tx) => {
    const [failing, disabled] = [{ ...data, ...times }, { ...data, reason: 'failing' } as const]
    await recordEvent(tx, guddesk.deps.bus, { ...envelope, type: 'endpoint.failing', data: failing })
    await recordEvent(tx, guddesk.deps.bus, { ...envelope, type: 'endpoint.disabled', data: disabled })
  })
}

/** What fields with required arguments are asked with. */
const ARGUMENTS: Record<string, () => string> = {
  'Query.conversation': () => `id: "${latest.conversation}"`,
  'Query.visitor': () => `id: "${latest.visitors.at(-1)}"`,
  'Query.article': () => `slug: "refunds-${latest.conversation.replace('_', '-')}"`,
  'Query.node': () => `id: "${latest.conversation}"`,
  'Query.nodes': () => `ids: ${JSON.stringify(latest.visitors)}`,
  'Query.deliveryStats': () => 'from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z", bucket: HOUR',
  'Query.slowestEndpoints': () => 'from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z"',
  'Query.invitation': () => 'token: "none"',
}

/** A field on the way to a list, with the type that has it. */
interface Step {
  readonly owner: GraphQLObjectType | GraphQLInterfaceType
  readonly field: GraphQLField<unknown, unknown>
  /** Only objects of the owner's type have it, of those that stand in this place. */
  readonly isFragment?: true
}

const isConnection = (type: GraphQLNamedType): type is GraphQLObjectType =>
  isObjectType(type) && type.getFields()['pageInfo'] !== undefined

const isList = ({ field: { type } }: Step) => isListType(getNullableType(type)) || isConnection(getNamedType(type))

/** What a list's rows are; for any other field its own type. */
function rowOf({ field: { type } }: Step): GraphQLNamedType {
  const named = getNamedType(type)
  if (!isConnection(named)) return named
  const edge = getNamedType(named.getFields()['edges']?.type)
  const node = edge !== undefined && isObjectType(edge) ? edge.getFields()['node'] : undefined
  if (node === undefined) throw new Error(`${named.name} has no nodes`)
  return getNamedType(node.type)
}

/** Whether the types of an interface stand nowhere else; those of others, such as of actors, are met by themselves. */
const isInterfaceOfItsOwn = (type: GraphQLNamedType) => type.name === 'Event'

/** The fields of a type; of an interface also those that only some of its types have. */
function stepsFrom(type: GraphQLNamedType | undefined | null): Step[] {
  if (!isObjectType(type) && !isInterfaceType(type)) return []
  const own = Object.values(type.getFields()).map((field): Step => ({ owner: type, field }))
  if (!isInterfaceType(type) || !isInterfaceOfItsOwn(type)) return own
  const further = schema.getPossibleTypes(type).flatMap((owner) =>
    Object.values(owner.getFields())
      .filter(({ name }) => type.getFields()[name] === undefined)
      .map((field): Step => ({ owner, field, isFragment: true })),
  )
  return [...own, ...further]
}

/** Every way from the query to a list, through at most so many lists, with at most one object between two of them. */
function waysToLists(type: GraphQLNamedType | undefined | null, lists = 0, hops = 0): Step[][] {
  if (lists === DEPTH || hops > 1) return []
  return stepsFrom(type).flatMap((step) => {
    const { field } = step
    if (isLeafType(getNamedType(field.type))) return []
    const further = isList(step) ? waysToLists(rowOf(step), lists + 1) : waysToLists(rowOf(step), lists, hops + 1)
    const ways = further.map((rest) => [step, ...rest])
    return isList(step) ? [[step], ...ways] : ways
  })
}

const inFragment = ({ owner, isFragment }: Step, selection: string) =>
  isFragment === undefined ? selection : `... on ${owner.name} { ${selection} }`

/** What the last list's rows are asked for: every field that is no list, and the fields of objects within. */
function fieldsOf(type: GraphQLNamedType, depth = 1): string[] {
  if (isAbstractType(type) && !isInterfaceOfItsOwn(type)) {
    const shared = isInterfaceType(type) ? Object.keys(type.getFields()) : []
    return [...shared, ...schema.getPossibleTypes(type).map(({ name }) => `... on ${name} { __typename }`)]
  }
  const fields = stepsFrom(type).flatMap((step) => {
    const { field } = step
    const named = getNamedType(field.type)
    if (isLeafType(named)) return [inFragment(step, field.name)]
    if (isList(step) || depth === 0 || field.args.some(isRequiredArgument)) return []
    return fieldsOf(named, depth - 1).map((inner) => inFragment(step, `${field.name} { ${inner} }`))
  })
  return fields.length === 0 ? ['__typename'] : fields
}

function argumentsOf({ owner, field }: Step, size: number): string {
  const given = ARGUMENTS[`${owner.name}.${field.name}`]
  if (given === undefined && field.args.some(isRequiredArgument)) {
    throw new Error(`${owner.name}.${field.name} has required arguments: say in ARGUMENTS how to ask for it`)
  }
  const first = field.args.some(({ name }) => name === 'first') ? [`first: ${size}`] : []
  const all = [...(given === undefined ? [] : [given()]), ...first]
  return all.length === 0 ? '' : `(${all.join(', ')})`
}

/** @param fields of the last list's rows; @param size of the outermost list */
function queryOf(way: readonly Step[], fields: readonly string[], size: number): string {
  const isLast = (i: number) => i === way.length - 1
  const outermost = way.findIndex(isList)
  const selection = way.reduceRight(
    (inner, step, i) => {
      const args = argumentsOf(step, i === outermost ? size : 2)
      const page = isLast(i) ? 'totalCount pageInfo { hasNextPage hasPreviousPage }' : ''
      const wrapped = isConnection(getNamedType(step.field.type)) ? `{ ${page} edges { node ${inner} } }` : inner
      return `{ ${inFragment(step, `${step.field.name}${args} ${wrapped}`)} }`
    },
    `{ ${fields.join(' ')} }`,
  )
  return selection
}

function measured(query: string) {
  const document = parse(query)
  const [operation] = document.definitions
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('not an operation')
  return measure(schema, document, operation, {})
}

/** With as many of the outermost rows as the limits allow, which is all where lists are not deep; else in two parts. */
function affordable(way: readonly Step[], fields: readonly string[]): string[] {
  for (let size = MANY; size > FEW; size--) {
    const query = queryOf(way, fields, size)
    if (measured(query).complexity <= LIMITS.complexity) return [query]
  }
  if (fields.length === 1) throw new Error(`${nameOf(way)} cannot be asked for within the limits`)
  const half = Math.ceil(fields.length / 2)
  return [...affordable(way, fields.slice(0, half)), ...affordable(way, fields.slice(half))]
}

/** The statements of some queries. */
async function statementsFor(queries: readonly string[]): Promise<string[]> {
  const ask = async (text: string) => {
    const headers = { 'x-workspace-id': guddesk.tenant.workspaceId }
    const { body } = await guddesk.graphql(text, {}, { key: session, headers })
    expect(body.errors, text).toBeUndefined()
  }
  // Using a session may make it last longer, once in a while.
  await ask('{ viewer { actor { id } } }')
  return statementsOf(guddesk, async () => {
    for (const query of queries) await ask(query)
  })
}

const ways = waysToLists(schema.getQueryType())
const nameOf = (way: readonly Step[]) =>
  way.map(({ owner, field, isFragment }) => `${isFragment ? `${owner.name}.` : ''}${field.name}`).join('.')

/** As much of the last list's rows as nesting allows; null where nothing can be asked for any more. */
function rowFields(way: readonly Step[]): string[] | null {
  const last = way.at(-1)
  if (last === undefined) return null
  const choices = [fieldsOf(rowOf(last), 1), fieldsOf(rowOf(last), 0)]
  return choices.find((fields) => measured(queryOf(way, fields, MANY)).depth <= LIMITS.depth) ?? null
}

const asked = ways.flatMap((way) => {
  const fields = rowFields(way)
  return fields === null ? [] : [{ name: nameOf(way), queries: () => affordable(way, fields) }]
})

const few = new Map<string, string[]>()

beforeAll(async () => {
  for (let i = 0; i < FEW; i++) await grow()
  await quiet(guddesk)
  for (const { name, queries } of asked) few.set(name, await statementsFor(queries()))
  while (made < MANY) await grow()
  await quiet(guddesk)
}, 120_000)

test('the lists that are known to be there are found', () => {
  const names = asked.map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(['conversations', 'visitors.conversations.messages', 'events']))
  expect(names).toEqual(expect.arrayContaining(['deliveries.attempts', 'agents.webhookEndpoints', 'workspace.members']))
})

test.each(asked)('$name: as many statements for many rows as for few', async ({ name, queries }) => {
  const many = await statementsFor(queries())
  expect(many.length).toBeGreaterThan(0)
  expect(many.length, many.join('\n')).toBe(few.get(name)?.length)
})

test('a list of conversations with visitor, assignee, messages and their senders costs at most 6 statements', async () => {
  const query = `{ conversations(first: 50) { edges { node {
    id visitor { id name } assignee { id name }
    messages(last: 3) { edges { node { id body sender { __typename id displayName } actor { displayName } } } }
  } } } }`
  const statements = await statementsFor([query])
  expect(statements.length).toBeGreaterThan(2)
  expect(statements.length, statements.join('\n')).toBeLessThanOrEqual(6)
})
