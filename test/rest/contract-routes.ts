import { randomUUID } from 'node:crypto'
import type { ApiKeyPermission } from '../../src/generated/prisma/enums.ts'
import type { Answer, Call, TestGudDesk } from '../support/guddesk.ts'
import { nextUrl, type Objects } from './objects.ts'

/** A line of the contract's table of endpoints, with a request that succeeds. */
export interface ContractRoute {
  /** Method and path, as the contract writes them. */
  readonly name: string
  readonly needs: ApiKeyPermission
  readonly path: (objects: Objects) => string
  readonly body?: (objects: Objects) => Record<string, unknown>
  /** Serves all of a key's workspaces, or takes the workspace from the path. */
  readonly isGlobal?: true
}

/** In an order in which each one still succeeds after those above it. */
export const ROUTES: readonly ContractRoute[] = [
  { name: 'GET /v1/workspaces', needs: 'READ_ONLY', path: () => '/v1/workspaces', isGlobal: true },
  {
    name: 'GET /v1/workspaces/:id',
    needs: 'READ_ONLY',
    path: (o) => `/v1/workspaces/${o.workspaceId}`,
    isGlobal: true,
  },
  { name: 'GET /v1/conversations', needs: 'READ_ONLY', path: () => '/v1/conversations' },
  {
    name: 'POST /v1/conversations',
    needs: 'READ_WRITE',
    path: () => '/v1/conversations',
    body: ({ visitorId }) => ({ visitorId }),
  },
  { name: 'GET /v1/conversations/:id', needs: 'READ_ONLY', path: conversation },
  {
    name: 'PATCH /v1/conversations/:id',
    needs: 'READ_WRITE',
    path: conversation,
    body: () => ({ subject: 'Changed' }),
  },
  { name: 'GET /v1/conversations/:id/messages', needs: 'READ_ONLY', path: (o) => `${conversation(o)}/messages` },
  {
    name: 'POST /v1/conversations/:id/messages',
    needs: 'READ_WRITE',
    path: (o) => `${conversation(o)}/messages`,
    body: () => ({ body: 'Hello' }),
  },
  { name: 'GET /v1/customers', needs: 'READ_ONLY', path: () => '/v1/customers' },
  { name: 'POST /v1/customers', needs: 'READ_WRITE', path: () => '/v1/customers', body: () => ({ name: 'Carla' }) },
  { name: 'GET /v1/customers/:id', needs: 'READ_ONLY', path: customer },
  { name: 'PATCH /v1/customers/:id', needs: 'READ_WRITE', path: customer, body: () => ({ name: 'Changed' }) },
  { name: 'GET /v1/articles', needs: 'READ_ONLY', path: () => '/v1/articles' },
  {
    name: 'POST /v1/articles',
    needs: 'READ_WRITE',
    path: () => '/v1/articles',
    body: () => ({ title: `Refunds ${randomUUID()}` }),
  },
  { name: 'GET /v1/articles/:id', needs: 'READ_ONLY', path: article },
  { name: 'PATCH /v1/articles/:id', needs: 'READ_WRITE', path: article, body: () => ({ title: 'Changed' }) },
  { name: 'GET /v1/agents', needs: 'READ_ONLY', path: () => '/v1/agents' },
  {
    name: 'POST /v1/agents',
    needs: 'READ_WRITE',
    path: () => '/v1/agents',
    body: () => ({ name: 'Another', webhookUrl: nextUrl() }),
  },
  { name: 'GET /v1/agents/:id', needs: 'READ_ONLY', path: agent },
  { name: 'PATCH /v1/agents/:id', needs: 'READ_WRITE', path: agent, body: () => ({ name: 'Changed' }) },
  {
    name: 'POST /agent/reply',
    needs: 'READ_WRITE',
    path: () => '/agent/reply',
    body: ({ conversationId }) => ({ conversationId, body: 'Hello' }),
  },
  {
    name: 'POST /agent/typing',
    needs: 'READ_WRITE',
    path: () => '/agent/typing',
    body: ({ conversationId }) => ({ conversationId, typing: true }),
  },
  { name: 'GET /agent/webhooks', needs: 'READ_ONLY', path: () => '/agent/webhooks' },
  {
    name: 'POST /agent/webhooks',
    needs: 'FULL_ACCESS',
    path: () => '/agent/webhooks',
    body: () => ({ url: nextUrl() }),
  },
  {
    name: 'DELETE /agent/webhooks',
    needs: 'FULL_ACCESS',
    path: () => '/agent/webhooks',
    body: ({ endpointId }) => ({ endpointId }),
  },
  { name: 'DELETE /v1/articles/:id', needs: 'FULL_ACCESS', path: article },
  { name: 'DELETE /v1/agents/:id', needs: 'FULL_ACCESS', path: agent },
]

export function routeNamed(name: string): ContractRoute {
  const route = ROUTES.find((candidate) => candidate.name === name)
  if (route === undefined) throw new Error(`no route is named ${name}`)
  return route
}

/** Calls a route with its working request, changed by `query` and `fields`. */
export function send(
  guddesk: TestGudDesk,
  route: ContractRoute,
  objects: Objects,
  { query = '', fields = {}, ...call }: Call & { query?: string; fields?: Record<string, unknown> } = {},
): Promise<Answer> {
  const body = route.body && { ...route.body(objects), ...fields }
  const method = route.name.split(' ')[0] ?? ''
  return guddesk.call(method, `/api${route.path(objects)}${query}`, call.raw === undefined ? body : undefined, call)
}

function conversation({ conversationId }: Objects): string {
  return `/v1/conversations/${conversationId}`
}

function customer({ visitorId }: Objects): string {
  return `/v1/customers/${visitorId}`
}

function article({ articleId }: Objects): string {
  return `/v1/articles/${articleId}`
}

function agent({ agentId }: Objects): string {
  return `/v1/agents/${agentId}`
}
