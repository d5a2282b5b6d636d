import { randomUUID } from 'node:crypto'
import { makeObjects, nextUrl, type Objects } from '../../rest/objects.ts'
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

export interface Removal {
  readonly name: string
  readonly takes: readonly Kind[]
  /** A credential that ends with it. */
  readonly doomed?: (world: World) => string
  /** A write that uses up the same thing: whoever comes second finds nothing. */
  readonly rival?: string
  run(world: World): Promise<Outcome>
}

export async function newWorld(guddesk: TestGudDesk): Promise<World> {
  const tenant = await guddesk.newTenant()
  const { key: owner } = tenant
  const objects = await makeObjects(guddesk, tenant)
  const leaving = await guddesk.newMember(tenant, 'Lena Leaving', 'ADMIN')
  const patch = { assigneeId: leaving.memberId }
  await guddesk.call('PATCH', `/api/v1/conversations/${objects.conversationId}`, patch, { key: owner })
  const made = async (mutation: string) => {
    const { data } = await guddesk.graphql(`mutation { made: ${mutation} }`, {}, { key: owner })
    return data.made
  }
  const { collection } = await made('createCollection(input: { name: "C" }) { collection { id } }')
  const invited = await made(
    `inviteMember(input: { email: "${unique('i')}@example.com", role: VIEWER }) { invitation { id } link }`,
  )
  const spare = await made('createApiKey(input: { name: "K", permission: FULL_ACCESS }) { apiKey { id } key }')
  const ownerSession = await guddesk.newSession(tenant)
  const endingSession = await guddesk.newSession(tenant)
  const said = { body: 'Hello', type: 'AGENT' }
  await guddesk.call('POST', `/api/v1/conversations/${objects.conversationId}/messages`, said, { key: owner })
  const { prisma } = guddesk.deps.db
  const token = decodeURIComponent(endingSession).split('.')[0] ?? ''
  const delivery = await prisma.delivery.findFirstOrThrow({ where: { endpointId: objects.endpointId } })
  return {
    ...objects,
    guddesk,
    owner,
    ownerSession,
    endingSession,
    endingSessionId: (await prisma.session.findUniqueOrThrow({ where: { token } })).id,
    memberSession: await guddesk.newSession(leaving),
    leavingId: leaving.memberId,
    collectionId: collection.id,
    invitationId: invited.invitation.id,
    invitationToken: String(invited.link).split('/').at(-1) ?? '',
    keyId: spare.apiKey.id,
    key: spare.key,
    allWorkspaces: await guddesk.newKey(tenant, 'FULL_ACCESS', 'all'),
    deliveryId: delivery.id,
  }
}

function ofRest({ status, body, data, error }: Answer): Outcome {
  const text = JSON.stringify(body).slice(0, 300)
  return { code: status < 300 ? 'ok' : error.code, text, ...(data?.messageId && { messageId: data.messageId }) }
}

/** REST knows keys alone: a person's session is used for GraphQL only. */
const isSession = (key: string) => !key.startsWith('gd_')

function rest(
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
const OF_MANY = 'results { error { code message } }'
const SELECTIONS: Record<string, string> = {
  sendMessage: 'message { id }',
  updateConversations: OF_MANY,
  addTags: OF_MANY,
  removeTags: OF_MANY,
}

function mutation(
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

const unique = (name: string) => `${name}-${randomUUID()}`
const message = { message: true } as const
const global = { key: ({ allWorkspaces }: World) => allWorkspaces }
const person = { key: ({ ownerSession }: World) => ownerSession }
const leaving = { key: ({ memberSession }: World) => memberSession }
const agent = { key: ({ agentKey }: World) => agentKey }

/** Messages, many of them: what must not be lost. */
const MESSAGES: readonly Write[] = Array.from({ length: 8 }, () =>
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

function conversation({ conversationId }: World, body: object) {
  return { path: `/v1/conversations/${conversationId}`, body }
}

function article({ articleId }: World, body: object) {
  return { path: `/v1/articles/${articleId}`, body }
}

const remove = (write: Write, takes: readonly Kind[], doomed?: (world: World) => string): Removal => ({
  name: write.name,
  takes,
  ...(doomed && { doomed }),
  run: (world) => write.run(world, world.owner),
})

export const REMOVALS: readonly Removal[] = [
  remove(
    rest('DELETE /v1/workspaces/:id', [], (w) => ({ path: `/v1/workspaces/${w.workspaceId}` })),
    ['workspace'],
    (w) => w.key,
  ),
  remove(
    rest('DELETE /v1/articles/:id', [], (w) => ({ path: `/v1/articles/${w.articleId}` })),
    ['article'],
  ),
  remove(
    rest('DELETE /v1/agents/:id', [], (w) => ({ path: `/v1/agents/${w.agentId}` })),
    ['agent'],
    (w) => w.agentKey,
  ),
  remove(
    rest('DELETE /agent/webhooks', [], ({ endpointId }) => ({ body: { endpointId } })),
    ['endpoint'],
  ),
  remove(
    rest('DELETE /agent/webhooks', [], ({ endpointId }) => ({ body: { endpointId, forget: true } })),
    ['endpoint'],
  ),
  remove(
    mutation('deleteArticle', [], ({ articleId }) => ({ articleId })),
    ['article'],
  ),
  remove(
    mutation('deleteCollection', [], ({ collectionId }) => ({ collectionId })),
    ['collection'],
  ),
  remove(
    mutation('deleteWebhookEndpoint', [], ({ endpointId }) => ({ endpointId })),
    ['endpoint'],
  ),
  {
    ...remove(
      mutation('endSession', [], ({ endingSessionId }) => ({ sessionId: endingSessionId })),
      ['session'],
    ),
    doomed: ({ endingSession }) => endingSession,
    run: (world) =>
      mutation('endSession', [], ({ endingSessionId }) => ({ sessionId: endingSessionId })).run(
        world,
        world.ownerSession,
      ),
  },
  remove(
    mutation('removeMember', [], ({ leavingId }) => ({ memberId: leavingId })),
    ['member'],
    (w) => w.memberSession,
  ),
  remove(
    mutation('revokeApiKey', [], ({ keyId }) => ({ apiKeyId: keyId })),
    ['key'],
    (w) => w.key,
  ),
  {
    ...remove(
      mutation('revokeInvitation', [], ({ invitationId }) => ({ invitationId })),
      ['invitation'],
    ),
    rival: 'acceptInvitation',
  },
  remove(
    mutation('uninstallAgent', [], ({ agentId }) => ({ agentId })),
    ['agent'],
    (w) => w.agentKey,
  ),
]
