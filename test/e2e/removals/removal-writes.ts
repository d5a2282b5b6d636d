import { randomUUID } from 'node:crypto'
import { nextUrl, type Objects } from '../../rest/objects.ts'
import type { Answer, TestGudDesk } from '../../support/guddesk.ts'

/** What a workspace has that can be removed. */
export type Kind =
  | 'workspace'
  | 'member'
  | 'article'
  | 'collection'
  | 'agent'
  | 'endpoint'
  | 'invitation'
  | 'key'
  | 'session'

/** A workspace with one of everything. */
export interface World extends Objects {
  readonly guddesk: TestGudDesk
  /** A FULL_ACCESS key of the owner, valid in the workspace. */
  readonly owner: string
  /** Sessions: of the owner, of a member who will be removed, and of the owner again, which will be ended. */
  readonly ownerSession: string
  readonly memberSession: string
  readonly endingSession: string
  readonly endingSessionId: string
  /** The member who will be removed, and has a conversation. */
  readonly leavingId: string
  readonly collectionId: string
  readonly invitationId: string
  readonly invitationToken: string
  readonly keyId: string
  readonly key: string
  readonly allWorkspaces: string
  readonly deliveryId: string
}

export interface Outcome {
  /** `ok`, or the error's code. */
  readonly code: string
  readonly text: string
  /** Of the message that was stored. */
  readonly messageId?: string
}

export interface Write {
  readonly name: string
  /** What it does not work without, besides its credential and the workspace. */
  readonly needs: readonly Kind[]
  /** True: it adds a message, which must not be lost. */
  readonly message?: true
  /** Whose business it is, when not any key's. */
  readonly key?: (world: World) => string
  run(world: World, key: string): Promise<Outcome>
}

export function ofRest({ status, body, data, error }: Answer): Outcome {
  const text = JSON.stringify(body).slice(0, 300)
  return { code: status < 300 ? 'ok' : error.code, text, ...(data?.messageId && { messageId: data.messageId }) }
}

/** REST knows keys alone: a person's session is used for GraphQL only. */
export const isSession = (key: string) => !key.startsWith('gd_')

export function rest(
  name: string,
  needs: readonly Kind[],
  request: (world: World) => { path?: string; body?: object },
  more: Partial<Write> = {},
): Write {
  const [method = '', pattern = ''] = name.split(' ')
  return {
    name,
    needs,
    ...more,
    async run(world, key) {
      const { path = pattern, body } = request(world)
      const answer = await world.guddesk.call(method, `/api${path}`, body, { key: isSession(key) ? world.owner : key })
      const outcome = ofRest(answer)
      return more.message && outcome.code === 'ok' && answer.data.id?.startsWith('msg_')
        ? { ...outcome, messageId: answer.data.id }
        : outcome
    },
  }
}

/** What is asked of a payload besides its error. */
export const OF_MANY = 'results { error { code message } }'
export const SELECTIONS: Record<string, string> = {
  sendMessage: 'message { id }',
  updateConversations: OF_MANY,
  addTags: OF_MANY,
  removeTags: OF_MANY,
}

export function mutation(
  name: string,
  needs: readonly Kind[],
  input: (world: World) => object,
  more: Partial<Write> = {},
): Write {
  const type = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}Input`
  const selection = SELECTIONS[name] ?? ''
  const query = `mutation ($input: ${type}!) { done: ${name}(input: $input) { error { code message } ${selection} } }`
  return {
    name,
    needs,
    ...more,
    async run(world, key) {
      const headers = { 'x-workspace-id': world.workspaceId }
      const { body } = await world.guddesk.graphql(query, { input: input(world) }, { key, headers })
      const text = JSON.stringify(body).slice(0, 300)
      const refused = body.data?.done?.error ?? body.data?.done?.results?.[0]?.error
      const code = body.errors?.[0]?.extensions.code ?? refused?.code.toLowerCase() ?? 'ok'
      const messageId = body.data?.done?.message?.id
      return { code, text, ...(messageId && { messageId }) }
    },
  }
}

export const unique = (name: string) => `${name}-${randomUUID()}`
export const message = { message: true } as const
export const global = { key: ({ allWorkspaces }: World) => allWorkspaces }
export const person = { key: ({ ownerSession }: World) => ownerSession }
export const leaving = { key: ({ memberSession }: World) => memberSession }
export const agent = { key: ({ agentKey }: World) => agentKey }

/** Messages, many of them: what must not be lost. */
export const MESSAGES: readonly Write[] = Array.from({ length: 8 }, () =>
  rest(
    'POST /v1/conversations/:id/messages',
    [],
    ({ conversationId }) => ({
      path: `/v1/conversations/${conversationId}/messages`,
      body: { body: 'm', type: 'AGENT' },
    }),
    message,
  ),
)

export const WRITES: readonly Write[] = [
  rest('POST /v1/workspaces', [], () => ({ body: { name: 'New', slug: unique('w') } }), global),
  rest('PATCH /v1/workspaces/:id', [], (w) => ({ path: `/v1/workspaces/${w.workspaceId}`, body: { name: 'Changed' } })),
  rest('POST /v1/conversations', [], ({ visitorId }) => ({ body: { visitorId, message: 'Hello' } })),
  rest('PATCH /v1/conversations/:id', [], (w) => conversation(w, { status: 'CLOSED' })),
  rest('PATCH /v1/conversations/:id', ['member'], (w) => conversation(w, { assigneeId: w.leavingId })),
  ...MESSAGES,
  rest('POST /v1/customers', [], () => ({ body: { externalId: unique('c') } })),
  rest('PATCH /v1/customers/:id', [], (w) => ({ path: `/v1/customers/${w.visitorId}`, body: { name: 'Changed' } })),
  rest('POST /v1/articles', ['collection'], ({ collectionId }) => ({ body: { title: unique('a'), collectionId } })),
  rest('POST /v1/articles', [], () => ({ body: { title: unique('a') } })),
  rest('PATCH /v1/articles/:id', ['article', 'collection'], (w) => article(w, { collectionId: w.collectionId })),
  rest('PATCH /v1/articles/:id', ['article'], (w) => article(w, { title: 'Changed' })),
  rest('POST /v1/agents', [], () => ({ body: { name: 'Bot', webhookUrl: nextUrl() } })),
  rest('PATCH /v1/agents/:id', ['agent'], (w) => ({ path: `/v1/agents/${w.agentId}`, body: { priority: 2 } })),
  rest('PATCH /v1/agents/:id', ['agent'], (w) => ({
    path: `/v1/agents/${w.agentId}`,
    body: { webhookUrl: nextUrl(), isEnabled: true },
  })),
  rest('POST /agent/reply', [], ({ conversationId }) => ({ body: { conversationId, body: 'r' } }), message),
  rest('POST /agent/reply', ['agent'], ({ conversationId }) => ({ body: { conversationId, body: 'r' } }), agent),
  rest('POST /agent/typing', [], ({ conversationId }) => ({ body: { conversationId, typing: true } })),
  rest('POST /agent/webhooks', [], () => ({ body: { url: nextUrl() } })),
  rest('POST /agent/webhooks', ['endpoint'], ({ endpointUrl }) => ({ body: { url: endpointUrl } })),
  rest('POST /agent/webhooks', ['agent'], () => ({ body: { url: nextUrl() } }), agent),
  mutation('changeMemberRole', ['member'], ({ leavingId }) => ({ memberId: leavingId, role: 'ADMIN' })),
  mutation('changePassword', ['member'], () => ({ newPassword: 'correct horse battery' }), leaving),
  mutation('endWebhookSecretOverlap', ['endpoint'], ({ endpointId }) => ({ endpointId })),
  mutation('createApiKey', [], () => ({ name: 'K', permission: 'READ_ONLY' })),
  mutation('createArticle', ['collection'], ({ collectionId }) => ({ title: unique('a'), collectionId })),
  mutation('createCollection', [], () => ({ name: unique('c') })),
  mutation('upsertVisitor', [], () => ({ name: 'V' })),
  mutation('registerWebhookEndpoint', [], () => ({ url: nextUrl() })),
  mutation('createWorkspace', [], () => ({ name: 'New', slug: unique('w') }), person),
  mutation('enableWebhookEndpoint', ['endpoint'], ({ endpointId }) => ({ endpointId })),
  mutation('disableWebhookEndpoint', ['endpoint'], ({ endpointId }) => ({ endpointId })),
  mutation('installAgent', [], () => ({ name: 'Bot', webhookUrl: nextUrl() })),
  mutation('installEchoAgent', [], () => ({})),
  mutation('inviteMember', [], () => ({ email: `${unique('i')}@example.com`, role: 'VIEWER' })),
  mutation(
    'acceptInvitation',
    ['invitation'],
    ({ invitationToken }) => ({
      token: invitationToken,
      name: 'Iris',
      password: 'correct horse battery',
    }),
    { key: ({ owner }) => owner },
  ),
  mutation('markConversationRead', [], ({ conversationId }) => ({ conversationId, sequence: 1 }), person),
  mutation('markConversationRead', ['member'], ({ conversationId }) => ({ conversationId, sequence: 1 }), leaving),
  mutation('replayDelivery', ['endpoint'], ({ deliveryId }) => ({ deliveryId })),
  mutation('replayFailedDeliveries', ['endpoint'], ({ endpointId }) => ({ endpointId, since: '2026-01-01T00:00:00Z' })),
  mutation('rotateAgentApiKey', ['agent'], ({ agentId }) => ({ agentId })),
  mutation('rotateWebhookSecret', ['endpoint'], ({ endpointId }) => ({ endpointId })),
  mutation('replyToConversation', [], ({ conversationId }) => ({ conversationId, body: 'h' })),
  mutation('sendMessage', [], ({ conversationId }) => ({ conversationId, body: 'g', type: 'AGENT' }), message),
  mutation('sendTestEvent', ['endpoint'], ({ endpointId }) => ({ endpointId, type: 'PING' })),
  mutation('setTyping', [], ({ conversationId }) => ({ conversationId, isTyping: true })),
  mutation('startConversation', [], ({ visitorId }) => ({ visitorId, message: 'Hello' })),
  mutation('updateAgent', ['agent'], ({ agentId }) => ({ agentId, name: 'Changed' })),
  mutation('updateArticle', ['article', 'collection'], ({ articleId, collectionId }) => ({ articleId, collectionId })),
  mutation('updateCollection', ['collection'], ({ collectionId }) => ({ collectionId, name: 'Changed' })),
  mutation('updateConversation', ['member'], ({ conversationId, leavingId }) => ({
    conversationId,
    assigneeId: leavingId,
  })),
  mutation('updateConversations', ['member'], ({ conversationId, leavingId }) => ({
    ids: [conversationId],
    assigneeId: leavingId,
  })),
  mutation('addTags', [], ({ conversationId }) => ({ conversationIds: [conversationId], tags: ['a'] })),
  mutation('removeTags', [], ({ conversationId }) => ({ conversationIds: [conversationId], tags: ['a'] })),
  mutation('updateProfile', [], () => ({ name: 'Otto' }), person),
  mutation('updateProfile', ['session'], () => ({ name: 'Otto' }), { key: ({ endingSession }) => endingSession }),
  mutation('updateVisitor', [], ({ visitorId }) => ({ visitorId, name: 'Changed' })),
  mutation('updateWebhookEndpoint', ['endpoint'], ({ endpointId }) => ({ endpointId, url: nextUrl() })),
  mutation('updateWorkspace', [], () => ({ name: 'Changed' })),
]

export function conversation({ conversationId }: World, body: object) {
  return { path: `/v1/conversations/${conversationId}`, body }
}

export function article({ articleId }: World, body: object) {
  return { path: `/v1/articles/${articleId}`, body }
}
