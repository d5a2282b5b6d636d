import { sendMessage } from '../../src/domain/messages/send-message.ts'
import type { Actor } from '../../src/domain/shared/actor.ts'
import type { Answer, Call, Tenant, TestGudDesk } from '../support/guddesk.ts'

/** Every time in an answer: ISO 8601, UTC, milliseconds. */
export const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** One of everything that a workspace can have, and the workspace's own ids. */
export interface Objects {
  readonly workspaceId: string
  readonly memberId: string
  readonly visitorId: string
  readonly articleId: string
  readonly conversationId: string
  readonly agentId: string
  readonly agentKey: string
  readonly endpointId: string
  readonly endpointUrl: string
}

let urls = 0

/** A webhook URL that nothing listens at, another one each time. */
export function nextUrl(): string {
  urls += 1
  return `http://localhost:9/hook-${process.pid}-${urls}`
}

export async function makeObjects(guddesk: TestGudDesk, tenant: Tenant = guddesk.tenant): Promise<Objects> {
  const { key } = tenant
  const conversationId = await guddesk.newConversation(tenant, 'Hello')
  const visitorId = (await ok(guddesk.call('GET', `/api/v1/conversations/${conversationId}`, undefined, { key }))).data
    .visitor.id
  const agent = await ok(guddesk.call('POST', '/api/v1/agents', { name: 'Installed', webhookUrl: nextUrl() }, { key }))
  const { data } = await ok(guddesk.call('POST', '/api/agent/webhooks', { url: nextUrl() }, { key }))
  const article = await ok(guddesk.call('POST', '/api/v1/articles', { title: nextUrl() }, { key }))
  return {
    articleId: article.data.id,
    workspaceId: tenant.workspaceId,
    memberId: tenant.memberId,
    visitorId,
    conversationId,
    agentId: agent.data.id,
    agentKey: agent.data.credentials.apiKey,
    endpointId: data.endpoint.id,
    endpointUrl: data.endpoint.url,
  }
}

/** The answer, which must be a success: for what a test needs but is not about. */
export async function ok(answer: Promise<Answer>): Promise<Answer> {
  const { status, body } = await answer
  if (status >= 300) throw new Error(`expected a success, got ${status}: ${JSON.stringify(body)}`)
  return answer
}

/** Installs an agent; `as` goes into calls that its own key makes. */
export async function installAgent(
  guddesk: TestGudDesk,
  name = 'RefundBot',
): Promise<{ id: string; url: string; secret: string; as: Call }> {
  const url = nextUrl()
  const { data } = await ok(guddesk.call('POST', '/api/v1/agents', { name, webhookUrl: url }))
  return { id: data.id, url, secret: data.credentials.webhookSecret, as: { key: data.credentials.apiKey } }
}

/** In everything of an agent that its neighbours must not see. */
export const SECRET = 'token-in-a-url'
const SECRETIVE = {
  name: 'Secretive',
  description: SECRET,
  config: { webhook: SECRET },
  iconUrl: `https://example.com/icon?${SECRET}`,
  creatorName: SECRET,
  creatorUrl: `https://example.com/maker?${SECRET}`,
  webhookUrl: `http://127.0.0.1:9/hook?${SECRET}`,
  priority: 7,
}

/** What an agent's key may see of another agent's field: the same as the agent itself, or something instead. */
export type NeighbourRule = 'shown' | { readonly instead: unknown; readonly select?: string }

/** An agent that has secrets wherever it can, and the key of its neighbour. */
export async function installSecretive(
  guddesk: TestGudDesk,
): Promise<{ id: string; key: string; endpointId: string; neighbour: Awaited<ReturnType<typeof installAgent>> }> {
  const { data } = await ok(guddesk.call('POST', '/api/v1/agents', SECRETIVE))
  const { id, credentials, webhookEndpoint } = data
  const neighbour = await installAgent(guddesk, 'Neighbour')
  return { id, key: credentials.apiKey, endpointId: webhookEndpoint.id, neighbour }
}

/** What the widget does when a visitor writes: nobody passes it on. */
export async function visitorSays(guddesk: TestGudDesk, conversationId: string, body: string): Promise<void> {
  const { visitorId, workspaceId } = await guddesk.deps.db.prisma.conversation.findUniqueOrThrow({
    where: { id: conversationId },
  })
  const actor: Actor = {
    type: 'visitor',
    id: visitorId,
    name: 'Vera Visitor',
    workspaceId,
    permission: 'READ_WRITE',
    user: null,
    role: null,
    origin: null,
  }
  await sendMessage(guddesk.deps, actor, conversationId, { body, type: 'VISITOR' })
}

const TABLES = [
  'articles',
  'collections',
  'visitors',
  'conversations',
  'messages',
  'agents',
  'webhook_endpoints',
  'events',
  'api_keys',
  'members',
]

/** How many rows each table has: a refused write leaves all of them as they were. */
export async function census(guddesk: TestGudDesk): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const table of TABLES) {
    const [row] = await guddesk.deps.db.sql<{ count: string }>(`SELECT count(*) AS count FROM ${table}`)
    counts[table] = Number(row?.count)
  }
  return counts
}
