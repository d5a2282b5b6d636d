import type { UNKNOWN } from '../../support/contract/unknown.ts'

export type Kind = keyof typeof UNKNOWN

/** What names it, the field with `$id` in that place, and how one that the workspace does not have is answered. */
export type Place = readonly [kind: Kind, use: string, answer: 'not_found' | 'bad_request' | 'nothing']

export const listOf = (kind: Kind, use: string): Place => [kind, `${use} { totalCount edges { cursor } }`, 'nothing']
export const change = (kind: Kind, name: string, rest = '', answer: Place[2] = 'not_found'): Place => {
  const argument = { key: 'apiKey', endpoint: 'endpoint' }[kind as string] ?? kind
  return writing(kind, `${name}(input: { ${argument}Id: $id ${rest} })`, answer)
}
export const writing = (kind: Kind, use: string, answer: Place[2]): Place => {
  return [kind, `${use} { error { code message } }`, answer]
}

/** Days from now, as a time. */
export function day(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString()
}

/** Streams that stay open and tell nothing: tests of subscriptions, deliveries and list feeds listen to them. */
export const ELSEWHERE = [
  'Subscription.events filter.conversationId',
  'Subscription.deliveries filter.agentId',
  'Subscription.deliveries filter.conversationId',
  'Subscription.deliveries filter.endpointId',
  'Subscription.inbox filter.assignee.memberId',
  'Subscription.inbox filter.visitorId',
]

export const ofMany = (kind: Kind, input: string, answer: Place[2] = 'not_found'): Place => [
  kind,
  `${input} { results { conversation { id } error { code message } } error { code message } }`,
  answer,
]

export const PLACES: Record<string, Place> = {
  'Mutation.addTags input.conversationIds': ofMany(
    'conversation',
    'addTags(input: { conversationIds: [$id], tags: ["a"] })',
  ),
  'Mutation.removeTags input.conversationIds': ofMany(
    'conversation',
    'removeTags(input: { conversationIds: [$id], tags: ["a"] })',
  ),
  'Mutation.updateConversations input.assigneeId': ofMany(
    'member',
    'updateConversations(input: { ids: [$conversation], assigneeId: $id })',
    'bad_request',
  ),
  'Mutation.updateConversations input.ids': ofMany(
    'conversation',
    'updateConversations(input: { ids: [$id], priority: 3 })',
  ),
  'Mutation.changeMemberRole input.memberId': change('member', 'changeMemberRole', 'role: VIEWER'),
  'Mutation.endWebhookSecretOverlap input.endpointId': change('endpoint', 'endWebhookSecretOverlap'),
  'Mutation.createArticle input.collectionId': writing(
    'collection',
    'createArticle(input: { title: "T", collectionId: $id })',
    'bad_request',
  ),
  'Mutation.deleteArticle input.articleId': change('article', 'deleteArticle'),
  'Mutation.deleteCollection input.collectionId': change('collection', 'deleteCollection'),
  'Mutation.deleteWorkspace input.workspaceId': change('workspace', 'deleteWorkspace'),
  'Mutation.replyToConversation input.conversationId': change('conversation', 'replyToConversation', 'body: "Hi"'),
  'Mutation.unregisterWebhookEndpoint input.endpointId': change('endpoint', 'unregisterWebhookEndpoint'),
  'Mutation.deleteWebhookEndpoint input.endpointId': change('endpoint', 'deleteWebhookEndpoint'),
  'Mutation.disableWebhookEndpoint input.endpointId': change('endpoint', 'disableWebhookEndpoint'),
  'Mutation.enableWebhookEndpoint input.endpointId': change('endpoint', 'enableWebhookEndpoint'),
  'Mutation.endSession input.sessionId': change('session', 'endSession'),
  'Mutation.markConversationRead input.conversationId': change('conversation', 'markConversationRead', 'sequence: 1'),
  'Mutation.removeMember input.memberId': change('member', 'removeMember'),
  'Mutation.replayDelivery input.deliveryId': change('delivery', 'replayDelivery'),
  'Mutation.replayFailedDeliveries input.endpointId': change(
    'endpoint',
    'replayFailedDeliveries',
    'since: "2026-01-01T00:00:00Z"',
  ),
  'Mutation.revokeApiKey input.apiKeyId': change('key', 'revokeApiKey'),
  'Mutation.revokeInvitation input.invitationId': change('invitation', 'revokeInvitation'),
  'Mutation.rotateAgentApiKey input.agentId': change('agent', 'rotateAgentApiKey'),
  'Mutation.rotateWebhookSecret input.endpointId': change('endpoint', 'rotateWebhookSecret'),
  'Mutation.sendMessage input.conversationId': change('conversation', 'sendMessage', 'body: "Hi", type: BOT'),
  'Mutation.sendTestEvent input.endpointId': change('endpoint', 'sendTestEvent', 'type: PING'),
  'Mutation.setTyping input.conversationId': change('conversation', 'setTyping', 'isTyping: true'),
  'Mutation.startConversation input.visitorId': change('visitor', 'startConversation', '', 'bad_request'),
  'Mutation.uninstallAgent input.agentId': change('agent', 'uninstallAgent'),
  'Mutation.updateAgent input.agentId': change('agent', 'updateAgent', 'name: "Changed"'),
  'Mutation.updateArticle input.articleId': change('article', 'updateArticle', 'title: "Changed"'),
  'Mutation.updateArticle input.collectionId': writing(
    'collection',
    'updateArticle(input: { articleId: $article, collectionId: $id })',
    'bad_request',
  ),
  'Mutation.updateCollection input.collectionId': change('collection', 'updateCollection', 'name: "Changed"'),
  'Mutation.updateConversation input.assigneeId': writing(
    'member',
    'updateConversation(input: { conversationId: $conversation, assigneeId: $id })',
    'bad_request',
  ),
  'Mutation.updateConversation input.conversationId': change('conversation', 'updateConversation', 'priority: 2'),
  'Mutation.updateVisitor input.visitorId': change('visitor', 'updateVisitor', 'name: "Changed"'),
  'Mutation.updateWebhookEndpoint input.endpointId': change('endpoint', 'updateWebhookEndpoint', 'isEnabled: false'),
  'Query.memberRemoval id': ['member', 'memberRemoval(id: $id) { agentNames }', 'not_found'],
  'Query.agentRemoval id': ['agent', 'agentRemoval(id: $id) { webhookUrls }', 'not_found'],
  'Query.articles filter.collectionId': listOf('collection', 'articles(filter: { collectionId: $id })'),
  'Query.auditEntries filter.actorId': listOf('key', 'auditEntries(filter: { actorId: $id })'),
  'Query.auditEntries filter.targetId': listOf('agent', 'auditEntries(filter: { targetId: $id })'),
  'Query.conversation id': ['conversation', 'conversation(id: $id) { id }', 'nothing'],
  'Query.conversations filter.assignee.memberId': listOf(
    'member',
    'conversations(filter: { assignee: { memberId: $id } })',
  ),
  'Query.conversations filter.visitorId': listOf('visitor', 'conversations(filter: { visitorId: $id })'),
  'Query.deliveries filter.agentId': listOf('agent', 'deliveries(filter: { agentId: $id })'),
  'Query.deliveries filter.conversationId': listOf('conversation', 'deliveries(filter: { conversationId: $id })'),
  'Query.deliveries filter.endpointId': listOf('endpoint', 'deliveries(filter: { endpointId: $id })'),
  'Query.deliveryStats endpointId': [
    'endpoint',
    `deliveryStats(from: "${day(-1)}", to: "${day(1)}", bucket: DAY, endpointId: $id) { pending failed }`,
    'nothing',
  ],
  'Query.events filter.conversationId': listOf('conversation', 'events(filter: { conversationId: $id })'),
  'Query.visitor id': ['visitor', 'visitor(id: $id) { id }', 'nothing'],
  'Query.article id': ['article', 'article(id: $id) { id }', 'nothing'],
  'Query.node id': ['visitor', 'node(id: $id) { id }', 'nothing'],
  'Query.nodes ids': ['article', 'nodes(ids: [$id]) { id }', 'nothing'],
  'Subscription.conversation id': ['conversation', 'conversation(id: $id) { __typename }', 'not_found'],
}
