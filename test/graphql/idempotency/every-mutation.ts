import {
  type GraphQLNamedType,
  getNamedType,
  isAbstractType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
  isUnionType,
  Kind,
  parse,
} from 'graphql'
import { newId } from '../../../src/domain/shared/ids.ts'
import { measure } from '../../../src/graphql/cost.ts'
import { LIMITS } from '../../../src/graphql/limits.ts'
import { sha256 } from '../../../src/infra/secrets.ts'
import { schema } from '../../../src/resolvers/index.ts'
import { makeObjects, nextUrl, type Objects } from '../../rest/objects.ts'
import type { Tenant, TestGudDesk } from '../../support/guddesk.ts'

/** A workspace with something for every mutation, and its owner's session. */
export interface World {
  readonly guddesk: TestGudDesk
  readonly tenant: Tenant
  readonly session: string
  readonly own: Objects
  /** Several. */
  readonly conversationIds: readonly string[]
  readonly others: {
    readonly memberId: string
    readonly sessionId: string
    readonly apiKeyId: string
    readonly collectionId: string
    readonly deliveryId: string
    readonly invitationId: string
    /** Of another workspace, for the owner. */
    readonly invitationToken: string
  }
}

const DAY_MS = 86_400_000

export async function newWorld(guddesk: TestGudDesk): Promise<World> {
  const { prisma } = guddesk.deps.db
  const tenant = await guddesk.newTenant()
  const { workspaceId, userId } = tenant
  const own = await makeObjects(guddesk, tenant)
  await guddesk.newSession(tenant)
  const other = await prisma.session.findFirstOrThrow({ where: { userId } })
  const session = await guddesk.newSession(tenant)
  const { memberId } = await guddesk.newMember(tenant, 'Mia')
  await guddesk.newKey(tenant, 'READ_ONLY')
  // Of an endpoint that is there by now.
  const conversationIds = [own.conversationId, await guddesk.newConversation(tenant, 'Delivered')]
  const key = await prisma.apiKey.findFirstOrThrow({ where: { workspaceId, permission: 'READ_ONLY' } })
  const collection = await prisma.collection.create({ data: { id: newId('collection'), workspaceId, name: 'Money' } })
  await prisma.delivery.updateMany({
    where: { workspaceId },
    data: { status: 'FAILED', nextAttemptAt: null, finishedAt: guddesk.clock.steady() },
  })
  const delivery = await prisma.delivery.findFirstOrThrow({ where: { workspaceId } })
  const { email } = await prisma.user.findUniqueOrThrow({ where: { id: userId } })
  const invite = async (into: Tenant, address: string) => {
    const [id, token] = [newId('invitation'), newId('invitation')]
    const expiresAt = new Date(guddesk.clock.now().getTime() + DAY_MS)
    const data = {
      id,
      workspaceId: into.workspaceId,
      email: address,
      role: 'AGENT',
      tokenHash: sha256(token),
      expiresAt,
    } as const
    await prisma.invitation.create({ data })
    return { id, token }
  }
  const invitation = await invite(tenant, 'somebody@example.com')
  const { token: invitationToken } = await invite(await guddesk.newTenant(), email)
  const ids = { sessionId: other.id, apiKeyId: key.id, collectionId: collection.id, deliveryId: delivery.id }
  return {
    guddesk,
    tenant,
    session,
    own,
    conversationIds,
    others: { ...ids, memberId, invitationId: invitation.id, invitationToken },
  }
}

let made = 0
/** Another one each time. */
const fresh = (what: string) => `${what}-${process.pid}-${++made}`

/** An input of every mutation with which an owner's session succeeds. */
export const INPUTS: Record<string, (world: World) => object> = {
  addTags: ({ conversationIds }) => ({ conversationIds, tags: ['vip'] }),
  removeTags: ({ conversationIds }) => ({ conversationIds, tags: ['none'] }),
  updateConversations: ({ conversationIds }) => ({ ids: [...conversationIds, newId('conversation')], priority: 3 }),
  acceptInvitation: ({ others }) => ({ token: others.invitationToken }),
  changeMemberRole: ({ others }) => ({ memberId: others.memberId, role: 'ADMIN' }),
  changePassword: () => ({ newPassword: 'long enough for anybody' }),
  createApiKey: () => ({ name: 'CI', permission: 'READ_ONLY' }),
  createArticle: ({ others }) => ({ title: fresh('Refunds'), body: 'Ask us.', collectionId: others.collectionId }),
  createCollection: () => ({ name: fresh('Collection') }),
  createWorkspace: () => ({ name: 'Another', slug: fresh('another') }),
  deleteArticle: ({ own }) => ({ articleId: own.articleId }),
  deleteCollection: ({ others }) => ({ collectionId: others.collectionId }),
  deleteWebhookEndpoint: ({ own }) => ({ endpointId: own.endpointId }),
  deleteWorkspace: ({ tenant }) => ({ workspaceId: tenant.workspaceId }),
  disableWebhookEndpoint: ({ own }) => ({ endpointId: own.endpointId }),
  enableWebhookEndpoint: ({ own }) => ({ endpointId: own.endpointId }),
  endSession: ({ others }) => ({ sessionId: others.sessionId }),
  endWebhookSecretOverlap: ({ own }) => ({ endpointId: own.endpointId }),
  installAgent: () => ({ name: 'Bot', webhookUrl: nextUrl() }),
  installEchoAgent: () => ({ name: 'Echo' }),
  inviteMember: () => ({ email: `${fresh('invited')}@example.com`, role: 'VIEWER' }),
  markConversationRead: ({ own }) => ({ conversationId: own.conversationId, sequence: 1 }),
  registerWebhookEndpoint: () => ({ url: nextUrl() }),
  removeMember: ({ others }) => ({ memberId: others.memberId, endAccess: true }),
  replayDelivery: ({ others }) => ({ deliveryId: others.deliveryId }),
  replayFailedDeliveries: ({ own }) => ({ endpointId: own.endpointId, since: '2020-01-01T00:00:00Z' }),
  replyToConversation: ({ own }) => ({ conversationId: own.conversationId, body: 'Hello' }),
  revokeApiKey: ({ others }) => ({ apiKeyId: others.apiKeyId }),
  revokeInvitation: ({ others }) => ({ invitationId: others.invitationId }),
  rotateAgentApiKey: ({ own }) => ({ agentId: own.agentId }),
  rotateWebhookSecret: ({ own }) => ({ endpointId: own.endpointId }),
  sendMessage: ({ own }) => ({ conversationId: own.conversationId, body: 'Hi', type: 'AGENT' }),
  sendTestEvent: ({ own }) => ({ endpointId: own.endpointId, type: 'PING' }),
  setTyping: ({ own }) => ({ conversationId: own.conversationId, isTyping: true }),
  startConversation: ({ own }) => ({ visitorId: own.visitorId, message: 'Hello' }),
  uninstallAgent: ({ own }) => ({ agentId: own.agentId }),
  unregisterWebhookEndpoint: ({ own }) => ({ endpointId: own.endpointId }),
  updateAgent: ({ own }) => ({ agentId: own.agentId, name: fresh('Bot') }),
  updateArticle: ({ own }) => ({ articleId: own.articleId, title: 'Returns' }),
  updateCollection: ({ others }) => ({ collectionId: others.collectionId, name: 'Cash' }),
  updateConversation: ({ own }) => ({ conversationId: own.conversationId, status: 'CLOSED', assigneeId: own.memberId }),
  updateProfile: () => ({ name: 'Olga Owner' }),
  updateVisitor: ({ own }) => ({ visitorId: own.visitorId, name: 'Vroni' }),
  updateWebhookEndpoint: ({ own }) => ({ endpointId: own.endpointId, maxInFlight: 3 }),
  updateWorkspace: () => ({ name: 'Renamed' }),
  upsertVisitor: () => ({ externalId: fresh('v'), name: 'Vera' }),
}

/** Whatever can be read of a type without arguments, so many objects deep; two rows of each list. */
function selectionOf(type: GraphQLNamedType, depth: number): string {
  if (isUnionType(type))
    return `__typename ${type
      .getTypes()
      .map(({ name }) => `... on ${name} { id }`)
      .join(' ')}`
  if (isAbstractType(type) || !isObjectType(type)) return '__typename'
  const isPage = type.getFields()['pageInfo'] !== undefined || type.name.endsWith('Edge')
  const parts = Object.values(type.getFields()).flatMap((field) => {
    if (field.args.some(isRequiredArgument)) return []
    const inner = getNamedType(field.type)
    const args = field.args.some(({ name }) => name === 'first') ? '(first: 2)' : ''
    if (isLeafType(inner)) return [`${field.name}${args}`]
    return depth === 0 && !isPage ? [] : [`${field.name}${args} { ${selectionOf(inner, isPage ? depth : depth - 1)} }`]
  })
  return parts.length === 0 ? '__typename' : parts.join(' ')
}

/** A mutation that asks for as much as the limits allow. */
export function documentOf(name: string): string {
  const field = schema.getMutationType()?.getFields()[name]
  if (field === undefined) throw new Error(`There is no mutation ${name}`)
  const type = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`
  for (let depth = 4; depth >= 0; depth--) {
    const selection = selectionOf(getNamedType(field.type), depth)
    const text = `mutation ($input: ${type}Input!) { ${name}(input: $input) { ${selection} } }`
    const document = parse(text)
    const [operation] = document.definitions
    if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('not an operation')
    const { complexity, depth: levels } = measure(schema, document, operation, {})
    const tokens = text.split(/[\s{}()]+/).length * 3
    if (complexity <= LIMITS.complexity && levels <= LIMITS.depth && tokens < LIMITS.tokens) return text
  }
  throw new Error(`${name} cannot be asked for within the limits`)
}
