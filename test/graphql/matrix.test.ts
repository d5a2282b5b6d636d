import type { GraphQLField } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { schema } from '../../src/resolvers/index.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../support/guddesk.ts'

type Level = 'READ_ONLY' | 'READ_WRITE' | 'FULL_ACCESS'

/** Who may use a root field: the least permission, and whether an agent's key may at all. */
interface Rule {
  readonly needs: Level
  readonly agent: boolean
  /** The field with its arguments and selection; what it names is unknown or refused: nothing changes, and who may not is told so first. */
  readonly use: string
}

const UNKNOWN = {
  conversation: 'conv_00000000000000000000000000',
  visitor: 'vis_00000000000000000000000000',
  agent: 'agt_00000000000000000000000000',
  endpoint: 'whk_00000000000000000000000000',
  key: 'key_00000000000000000000000000',
  delivery: 'dlv_00000000000000000000000000',
  member: 'mem_00000000000000000000000000',
}

const list = (name: string): Rule => ({ needs: 'READ_ONLY', agent: true, use: `${name} { edges { cursor } }` })
const mutation = (needs: Level, agent: boolean, name: string, input: string): Rule => ({
  needs,
  agent,
  use: `${name}(input: { ${input} }) { __typename ... on Error { code message } }`,
})

const RULES: Record<string, Rule> = {
  'Query.viewer': { needs: 'READ_ONLY', agent: true, use: 'viewer { actor { id } }' },
  'Query.workspace': { needs: 'READ_ONLY', agent: true, use: 'workspace { id }' },
  'Query.conversation': {
    needs: 'READ_ONLY',
    agent: true,
    use: `conversation(id: "${UNKNOWN.conversation}") { id }`,
  },
  'Query.node': { needs: 'READ_ONLY', agent: true, use: `node(id: "${UNKNOWN.visitor}") { id }` },
  'Query.nodes': { needs: 'READ_ONLY', agent: true, use: `nodes(ids: ["${UNKNOWN.visitor}"]) { id }` },
  'Query.conversations': list('conversations'),
  'Query.visitors': list('visitors'),
  'Query.agents': list('agents'),
  'Query.webhookEndpoints': list('webhookEndpoints'),
  'Query.deliveries': list('deliveries'),
  'Query.events': list('events'),
  'Query.dispatchState': { needs: 'READ_ONLY', agent: true, use: 'dispatchState { pending }' },
  'Query.apiKeys': { ...list('apiKeys'), needs: 'FULL_ACCESS', agent: false },
  'Query.auditEntries': { ...list('auditEntries'), needs: 'FULL_ACCESS', agent: false },
  'Mutation.createVisitor': mutation('READ_WRITE', true, 'createVisitor', 'email: "not an address"'),
  'Mutation.updateVisitor': mutation('READ_WRITE', true, 'updateVisitor', `visitorId: "${UNKNOWN.visitor}", name: "V"`),
  'Mutation.startConversation': mutation('READ_WRITE', true, 'startConversation', `visitorId: "${UNKNOWN.visitor}"`),
  'Mutation.updateConversation': mutation(
    'READ_WRITE',
    true,
    'updateConversation',
    `conversationId: "${UNKNOWN.conversation}", priority: 1`,
  ),
  'Mutation.sendMessage': mutation(
    'READ_WRITE',
    true,
    'sendMessage',
    `conversationId: "${UNKNOWN.conversation}", body: "Hi", type: BOT`,
  ),
  'Mutation.setTyping': mutation(
    'READ_WRITE',
    true,
    'setTyping',
    `conversationId: "${UNKNOWN.conversation}", typing: true`,
  ),
  'Mutation.installAgent': mutation(
    'READ_WRITE',
    false,
    'installAgent',
    'name: "Bot", webhookUrl: "https://10.0.0.1/"',
  ),
  'Mutation.updateAgent': mutation('READ_WRITE', true, 'updateAgent', `agentId: "${UNKNOWN.agent}", name: "Bot"`),
  'Mutation.uninstallAgent': mutation('FULL_ACCESS', false, 'uninstallAgent', `agentId: "${UNKNOWN.agent}"`),
  'Mutation.createWebhookEndpoint': mutation('FULL_ACCESS', true, 'createWebhookEndpoint', 'url: "https://10.0.0.1/"'),
  'Mutation.updateWebhookEndpoint': mutation(
    'FULL_ACCESS',
    true,
    'updateWebhookEndpoint',
    `endpointId: "${UNKNOWN.endpoint}", isEnabled: true`,
  ),
  'Mutation.deleteWebhookEndpoint': mutation(
    'FULL_ACCESS',
    true,
    'deleteWebhookEndpoint',
    `endpointId: "${UNKNOWN.endpoint}"`,
  ),
  'Mutation.replayDelivery': mutation('FULL_ACCESS', true, 'replayDelivery', `deliveryId: "${UNKNOWN.delivery}"`),
  'Mutation.createApiKey': mutation(
    'FULL_ACCESS',
    false,
    'createApiKey',
    'name: "K", permission: READ_ONLY, expiresAt: "2001-01-01T00:00:00Z"',
  ),
  'Mutation.revokeApiKey': mutation('FULL_ACCESS', false, 'revokeApiKey', `apiKeyId: "${UNKNOWN.key}"`),
  'Mutation.addMember': mutation('FULL_ACCESS', false, 'addMember', 'email: "not an address", role: VIEWER'),
  'Mutation.changeMemberRole': mutation(
    'FULL_ACCESS',
    false,
    'changeMemberRole',
    `memberId: "${UNKNOWN.member}", role: VIEWER`,
  ),
  'Mutation.removeMember': mutation('FULL_ACCESS', false, 'removeMember', `memberId: "${UNKNOWN.member}"`),
  'Subscription.conversation': {
    needs: 'READ_ONLY',
    agent: true,
    use: `conversation(id: "${UNKNOWN.conversation}") { __typename }`,
  },
  'Subscription.inbox': { needs: 'READ_ONLY', agent: true, use: 'inbox(after: "malformed") { cursor }' },
  'Subscription.deliveries': {
    needs: 'READ_ONLY',
    agent: true,
    use: `deliveries(endpointId: "${UNKNOWN.endpoint}") { created }`,
  },
  'Subscription.events': { needs: 'READ_ONLY', agent: true, use: 'events(after: "malformed") { id }' },
}

const LEVELS: Level[] = ['READ_ONLY', 'READ_WRITE', 'FULL_ACCESS']
const ACTORS = [
  'anonymous',
  'VIEWER with a FULL_ACCESS key',
  'AGENT with a FULL_ACCESS key',
  ...LEVELS,
  'agent',
] as const

/** The level that each actor really has; null has none. */
const LEVEL_OF: Record<(typeof ACTORS)[number], Level | null> = {
  anonymous: null,
  'VIEWER with a FULL_ACCESS key': 'READ_ONLY',
  'AGENT with a FULL_ACCESS key': 'READ_WRITE',
  READ_ONLY: 'READ_ONLY',
  READ_WRITE: 'READ_WRITE',
  FULL_ACCESS: 'FULL_ACCESS',
  agent: 'READ_WRITE',
}

let guddesk: TestGudDesk
let keys: Record<(typeof ACTORS)[number], string | null>

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  const { tenant } = guddesk
  const as = async (role: 'VIEWER' | 'AGENT') => {
    const { memberId, userId } = await guddesk.newMember(tenant, role, role)
    const person: Tenant = { ...tenant, userId, memberId }
    return guddesk.newKey(person, 'FULL_ACCESS')
  }
  const install = { name: 'Bot', webhookUrl: 'http://127.0.0.1:9/matrix' }
  const { data } = await guddesk.call('POST', '/api/v1/agents', install)
  keys = {
    anonymous: null,
    'VIEWER with a FULL_ACCESS key': await as('VIEWER'),
    'AGENT with a FULL_ACCESS key': await as('AGENT'),
    READ_ONLY: await guddesk.newKey(tenant, 'READ_ONLY'),
    READ_WRITE: await guddesk.newKey(tenant, 'READ_WRITE'),
    FULL_ACCESS: tenant.key,
    agent: data.credentials.apiKey,
  }
})

afterAll(() => guddesk?.stop())

const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
const fields = roots.flatMap((type) =>
  Object.values<GraphQLField<unknown, unknown>>(type?.getFields() ?? {}).map((field) => `${type?.name}.${field.name}`),
)

test('every root field has a rule, and every rule a field', () => {
  expect(Object.keys(RULES).sort()).toEqual(fields.sort())
})

/** `forbidden`, `unauthorized`, or the way that an allowed use ends. */
async function outcome(rule: Rule, root: string, key: string | null): Promise<string> {
  const operation = `${root.toLowerCase()} { ${rule.use} }`
  const response = await guddesk.call('POST', '/graphql', { query: operation }, { key }).catch(() => null)
  // A subscription that is refused before it starts answers as JSON too.
  const { data, errors } = response?.body ?? {}
  const code = errors?.[0]?.extensions?.code
  if (code !== undefined) return code
  const [value] = Object.values<{ code?: string } | null>(data ?? {})
  return value?.code ?? 'allowed'
}

describe.each(fields)('%s', (field) => {
  const rule = RULES[field]
  test.each(ACTORS)('for %s', async (actor) => {
    if (rule === undefined) throw new Error(`${field} has no rule`)
    const [root = ''] = field.split('.')
    const got = await outcome(rule, root, keys[actor])
    const level = LEVEL_OF[actor]
    if (level === null) return expect(got).toBe('unauthorized')
    const isAllowed = actor === 'agent' ? rule.agent : LEVELS.indexOf(level) >= LEVELS.indexOf(rule.needs)
    if (!isAllowed) return expect(got).toBe('forbidden')
    // What was asked for does not exist or cannot be accepted: allowed means that this is what is said.
    expect(['allowed', 'not_found', 'bad_request']).toContain(got)
  })
})
