import type { MemberRole } from '../../../src/generated/prisma/enums.ts'
import { schema } from '../../../src/resolvers/index.ts'
import { UNKNOWN } from '../../support/contract/unknown.ts'

export type Level = 'READ_ONLY' | 'READ_WRITE' | 'FULL_ACCESS'

/** Who may use a root field: the least permission, and whether an agent's key may at all. */
export interface Rule {
  readonly needs: Level
  readonly agent: boolean
  /** Besides the permission, one of these roles of the person behind. */
  readonly roles?: readonly MemberRole[]
  /**
   * What it is about, when not the workspace: the `person` who is signed in, what is their `own` in the workspace, all
   * workspaces of a `caller`, or something that `anybody` may ask.
   */
  readonly about?: 'person' | 'own' | 'caller' | 'anybody'
  /** The field with its arguments and selection; what it names is unknown or refused: nothing changes, and who may not is told so first. */
  readonly use: string
}

const list = (name: string): Rule => ({ needs: 'READ_ONLY', agent: true, use: `${name} { edges { cursor } }` })
const mutation = (needs: Level, agent: boolean, name: string, input: string): Rule => ({
  needs,
  agent,
  use: `${name}(input: { ${input} }) { error { code message } }`,
})

const ofPerson = (rule: Rule): Rule => ({ ...rule, agent: false, about: 'person' })

export const RULES: Record<string, Rule> = {
  'Query.me': ofPerson({ needs: 'READ_ONLY', agent: false, use: 'me { id }' }),
  'Query.sessions': ofPerson({ needs: 'READ_ONLY', agent: false, use: 'sessions { id }' }),
  'Query.workspaces': { ...list('workspaces'), about: 'caller' },
  'Mutation.updateProfile': ofPerson(mutation('READ_ONLY', false, 'updateProfile', 'name: " "')),
  'Mutation.changePassword': ofPerson(mutation('READ_ONLY', false, 'changePassword', 'newPassword: "short"')),
  'Mutation.endSession': ofPerson(mutation('READ_ONLY', false, 'endSession', `sessionId: "${UNKNOWN.session}"`)),
  'Mutation.createWorkspace': {
    ...mutation('FULL_ACCESS', false, 'createWorkspace', 'name: "W", slug: "Not a slug"'),
    about: 'caller',
  },
  'Mutation.updateWorkspace': {
    ...mutation('READ_WRITE', false, 'updateWorkspace', 'slug: "Not a slug"'),
    roles: ['OWNER', 'ADMIN'],
  },
  'Mutation.deleteWorkspace': {
    ...mutation('FULL_ACCESS', false, 'deleteWorkspace', `workspaceId: "${UNKNOWN.workspace}"`),
    roles: ['OWNER'],
  },
  'Query.viewer': { needs: 'READ_ONLY', agent: true, use: 'viewer { actor { id } }' },
  'Query.workspace': { needs: 'READ_ONLY', agent: true, use: 'workspace { id }' },
  'Query.conversation': {
    needs: 'READ_ONLY',
    agent: true,
    use: `conversation(id: "${UNKNOWN.conversation}") { id }`,
  },
  'Query.node': { needs: 'READ_ONLY', agent: true, use: `node(id: "${UNKNOWN.visitor}") { id }` },
  'Query.nodes': { needs: 'READ_ONLY', agent: true, use: `nodes(ids: ["${UNKNOWN.visitor}"]) { id }` },
  'Query.visitor': { needs: 'READ_ONLY', agent: true, use: `visitor(id: "${UNKNOWN.visitor}") { id }` },
  'Query.article': { needs: 'READ_ONLY', agent: true, use: 'article(slug: "unknown") { id }' },
  'Query.conversations': list('conversations'),
  'Query.tags': list('tags'),
  'Query.inboxCounts': { needs: 'READ_ONLY', agent: true, use: 'inboxCounts { open }' },
  'Query.visitors': list('visitors'),
  'Query.agents': list('agents'),
  'Query.articles': list('articles'),
  'Query.collections': list('collections'),
  'Mutation.createArticle': mutation('READ_WRITE', true, 'createArticle', 'title: " "'),
  'Mutation.updateArticle': mutation(
    'READ_WRITE',
    true,
    'updateArticle',
    `articleId: "${UNKNOWN.article}", title: "T"`,
  ),
  'Mutation.deleteArticle': mutation('FULL_ACCESS', false, 'deleteArticle', `articleId: "${UNKNOWN.article}"`),
  'Mutation.createCollection': mutation('READ_WRITE', true, 'createCollection', 'name: " "'),
  'Mutation.updateCollection': mutation(
    'READ_WRITE',
    true,
    'updateCollection',
    `collectionId: "${UNKNOWN.collection}", name: "C"`,
  ),
  'Mutation.deleteCollection': mutation(
    'FULL_ACCESS',
    false,
    'deleteCollection',
    `collectionId: "${UNKNOWN.collection}"`,
  ),
  'Query.webhookEndpoints': list('webhookEndpoints'),
  'Query.unregisteredWebhookEndpoints': {
    needs: 'READ_ONLY',
    agent: true,
    use: 'unregisteredWebhookEndpoints { endpointId }',
  },
  'Query.deliveries': list('deliveries'),
  'Query.deliveryStats': {
    needs: 'READ_ONLY',
    agent: true,
    use: 'deliveryStats(from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z", bucket: DAY) { sent }',
  },
  'Query.slowestEndpoints': {
    needs: 'READ_ONLY',
    agent: true,
    use: 'slowestEndpoints(from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z") { delivered }',
  },
  'Query.events': list('events'),
  'Query.dispatchState': { needs: 'READ_ONLY', agent: true, use: 'dispatchState { pending }' },
  'Query.agentRemoval': {
    needs: 'FULL_ACCESS',
    agent: false,
    use: `agentRemoval(id: "${UNKNOWN.agent}") { webhookUrls }`,
  },
  'Query.memberRemoval': {
    needs: 'FULL_ACCESS',
    agent: false,
    use: `memberRemoval(id: "${UNKNOWN.member}") { agentNames }`,
  },
  'Query.apiKeys': { ...list('apiKeys'), needs: 'FULL_ACCESS', agent: false },
  'Query.auditEntries': { ...list('auditEntries'), needs: 'FULL_ACCESS', agent: false },
  'Query.ownApiKeys': { ...list('ownApiKeys'), needs: 'FULL_ACCESS', agent: false, about: 'own' },
  'Mutation.upsertVisitor': mutation('READ_WRITE', true, 'upsertVisitor', 'email: "not an address"'),
  'Mutation.updateVisitor': mutation('READ_WRITE', true, 'updateVisitor', `visitorId: "${UNKNOWN.visitor}", name: "V"`),
  'Mutation.startConversation': mutation('READ_WRITE', true, 'startConversation', `visitorId: "${UNKNOWN.visitor}"`),
  'Mutation.updateConversation': mutation(
    'READ_WRITE',
    true,
    'updateConversation',
    `conversationId: "${UNKNOWN.conversation}", priority: 1`,
  ),
  'Mutation.updateConversations': mutation(
    'READ_WRITE',
    true,
    'updateConversations',
    `ids: ["${UNKNOWN.conversation}"], priority: 1`,
  ),
  'Mutation.addTags': mutation('READ_WRITE', true, 'addTags', `conversationIds: ["${UNKNOWN.conversation}"], tags: []`),
  'Mutation.removeTags': mutation(
    'READ_WRITE',
    true,
    'removeTags',
    `conversationIds: ["${UNKNOWN.conversation}"], tags: []`,
  ),
  'Mutation.sendMessage': mutation(
    'READ_WRITE',
    true,
    'sendMessage',
    `conversationId: "${UNKNOWN.conversation}", body: "Hi", type: BOT`,
  ),
  'Mutation.replyToConversation': mutation(
    'READ_WRITE',
    true,
    'replyToConversation',
    `conversationId: "${UNKNOWN.conversation}", body: "Hi"`,
  ),
  'Mutation.markConversationRead': mutation(
    'READ_ONLY',
    false,
    'markConversationRead',
    `conversationId: "${UNKNOWN.conversation}", sequence: 1`,
  ),
  'Mutation.setTyping': mutation(
    'READ_WRITE',
    true,
    'setTyping',
    `conversationId: "${UNKNOWN.conversation}", isTyping: true`,
  ),
  'Mutation.installAgent': mutation(
    'READ_WRITE',
    false,
    'installAgent',
    'name: "Bot", webhookUrl: "https://10.0.0.1/"',
  ),
  'Mutation.installEchoAgent': mutation('READ_WRITE', false, 'installEchoAgent', 'name: ""'),
  'Mutation.updateAgent': mutation('READ_WRITE', true, 'updateAgent', `agentId: "${UNKNOWN.agent}", name: "Bot"`),
  'Mutation.uninstallAgent': mutation('FULL_ACCESS', false, 'uninstallAgent', `agentId: "${UNKNOWN.agent}"`),
  'Mutation.registerWebhookEndpoint': mutation(
    'FULL_ACCESS',
    true,
    'registerWebhookEndpoint',
    'url: "https://10.0.0.1/"',
  ),
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
  'Mutation.unregisterWebhookEndpoint': mutation(
    'FULL_ACCESS',
    true,
    'unregisterWebhookEndpoint',
    `endpointId: "${UNKNOWN.endpoint}"`,
  ),
  'Mutation.replayDelivery': mutation('FULL_ACCESS', true, 'replayDelivery', `deliveryId: "${UNKNOWN.delivery}"`),
  'Mutation.enableWebhookEndpoint': mutation(
    'FULL_ACCESS',
    true,
    'enableWebhookEndpoint',
    `endpointId: "${UNKNOWN.endpoint}"`,
  ),
  'Mutation.disableWebhookEndpoint': mutation(
    'FULL_ACCESS',
    true,
    'disableWebhookEndpoint',
    `endpointId: "${UNKNOWN.endpoint}"`,
  ),
  'Mutation.rotateWebhookSecret': mutation(
    'FULL_ACCESS',
    true,
    'rotateWebhookSecret',
    `endpointId: "${UNKNOWN.endpoint}"`,
  ),
  'Mutation.endWebhookSecretOverlap': mutation(
    'FULL_ACCESS',
    true,
    'endWebhookSecretOverlap',
    `endpointId: "${UNKNOWN.endpoint}"`,
  ),
  'Mutation.sendTestEvent': mutation(
    'FULL_ACCESS',
    true,
    'sendTestEvent',
    `endpointId: "${UNKNOWN.endpoint}", type: PING`,
  ),
  'Mutation.replayFailedDeliveries': mutation(
    'FULL_ACCESS',
    true,
    'replayFailedDeliveries',
    `endpointId: "${UNKNOWN.endpoint}", since: "2026-01-01T00:00:00Z"`,
  ),
  'Mutation.rotateAgentApiKey': mutation('FULL_ACCESS', false, 'rotateAgentApiKey', `agentId: "${UNKNOWN.agent}"`),
  'Mutation.createApiKey': mutation(
    'FULL_ACCESS',
    false,
    'createApiKey',
    'name: "K", permission: READ_ONLY, expiresAt: "2001-01-01T00:00:00Z"',
  ),
  'Mutation.revokeApiKey': {
    ...mutation('FULL_ACCESS', false, 'revokeApiKey', `apiKeyId: "${UNKNOWN.key}"`),
    about: 'own',
  },
  'Query.invitations': { ...list('invitations'), needs: 'FULL_ACCESS', agent: false },
  'Query.invitationOffer': {
    needs: 'READ_ONLY',
    agent: true,
    about: 'anybody',
    use: 'invitationOffer(token: "unknown") { email }',
  },
  'Mutation.inviteMember': mutation('FULL_ACCESS', false, 'inviteMember', 'email: "not an address", role: VIEWER'),
  'Mutation.revokeInvitation': mutation(
    'FULL_ACCESS',
    false,
    'revokeInvitation',
    `invitationId: "${UNKNOWN.invitation}"`,
  ),
  'Mutation.acceptInvitation': {
    ...mutation('READ_ONLY', true, 'acceptInvitation', 'token: "unknown"'),
    about: 'anybody',
  },
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
    use: 'deliveries(filter: { statuses: [] }) { created }',
  },
  'Subscription.events': { needs: 'READ_ONLY', agent: true, use: 'events(after: "malformed") { cursor }' },
}

/** Every root field of the schema: `Query.agents`. */
export const ROOT_FIELDS: readonly string[] = [
  schema.getQueryType(),
  schema.getMutationType(),
  schema.getSubscriptionType(),
].flatMap((type) => Object.keys(type?.getFields() ?? {}).map((name) => `${type?.name}.${name}`))
