import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ApiKeyPermission, MemberRole } from '../../../src/generated/prisma/enums.ts'
import { nextUrl, type Objects } from '../objects.ts'

// Every operation of the OpenAPI document × everybody who may call it × one's own, another workspace's and unknown ids.

/** What a workspace has that a request can name, by whatever names it. */
export interface Named extends Objects {
  readonly collectionId: string
  readonly externalId: string
  readonly email: string
  readonly slug: string
}

/** A request that succeeds for whoever may make it. */
export interface Request {
  readonly id?: string
  readonly query?: Record<string, string>
  readonly body?: Record<string, unknown>
}

export interface Rule {
  readonly needs: ApiKeyPermission
  /** An agent's key; `own` is its own agent or endpoint, and another agent's is answered with this status. */
  readonly agent: boolean | { readonly neighbour: 403 | 404 }
  /** Of the person behind the key, besides the permission. */
  readonly roles?: readonly MemberRole[]
  /** Only for keys of all workspaces: it is about none of them. */
  readonly isGlobal?: true
  readonly request: (own: Named) => Request
  /**
   * Every place that names something, as `path`, `query.…` or `body.…`: what it names, and the status of an answer to
   * what the workspace does not have.
   */
  readonly names: Record<string, readonly [keyof Named, number]>
}

export const id = (what: keyof Named, status = 404): Rule['names'] => ({ path: [what, status] })
export const read = (request: Rule['request'] = () => ({}), names: Rule['names'] = {}): Rule => {
  return { needs: 'READ_ONLY', agent: true, request, names }
}
export const write = (request: Rule['request'], names: Rule['names'] = {}): Rule => {
  return { needs: 'READ_WRITE', agent: true, request, names }
}

export const RULES: Record<string, Rule> = {
  'GET /v1/workspaces': read(),
  'POST /v1/workspaces': {
    needs: 'FULL_ACCESS',
    agent: false,
    isGlobal: true,
    request: () => ({ body: { name: 'New', slug: `new-${randomUUID()}` } }),
    // One address space for all workspaces: that a slug is taken is told.
    names: {},
  },
  'GET /v1/workspaces/{id}': read(({ workspaceId }) => ({ id: workspaceId }), id('workspaceId')),
  'PATCH /v1/workspaces/{id}': {
    ...write(({ workspaceId }) => ({ id: workspaceId, body: { name: 'Changed' } }), id('workspaceId')),
    agent: false,
    roles: ['OWNER', 'ADMIN'],
  },
  'DELETE /v1/workspaces/{id}': {
    needs: 'FULL_ACCESS',
    agent: false,
    roles: ['OWNER'],
    request: ({ workspaceId }) => ({ id: workspaceId }),
    names: id('workspaceId'),
  },
  'GET /v1/conversations': read(({ visitorId }) => ({ query: { visitorId } }), {
    'query.assigneeId': ['memberId', 200],
    'query.visitorId': ['visitorId', 200],
  }),
  'POST /v1/conversations': write(({ visitorId }) => ({ body: { visitorId, message: 'Hello' } }), {
    'body.visitorId': ['visitorId', 400],
  }),
  'GET /v1/conversations/{id}': read(({ conversationId }) => ({ id: conversationId }), id('conversationId')),
  'PATCH /v1/conversations/{id}': write(({ conversationId }) => ({ id: conversationId, body: { priority: 2 } }), {
    ...id('conversationId'),
    'body.assigneeId': ['memberId', 400],
  }),
  'GET /v1/conversations/{id}/messages': read(({ conversationId }) => ({ id: conversationId }), id('conversationId')),
  'POST /v1/conversations/{id}/messages': write(
    ({ conversationId }) => ({ id: conversationId, body: { body: 'Hi', type: 'AGENT' } }),
    id('conversationId'),
  ),
  'GET /v1/customers': read(() => ({}), { 'query.email': ['email', 200], 'query.externalId': ['externalId', 200] }),
  'POST /v1/customers': write(() => ({ body: { name: 'Carla' } }), {
    'body.email': ['email', 201],
    'body.externalId': ['externalId', 201],
  }),
  'GET /v1/customers/{id}': read(({ visitorId }) => ({ id: visitorId }), id('visitorId')),
  'PATCH /v1/customers/{id}': write(({ visitorId }) => ({ id: visitorId, body: { name: 'Changed' } }), {
    ...id('visitorId'),
    'body.email': ['email', 200],
    'body.externalId': ['externalId', 200],
  }),
  'GET /v1/articles': read(() => ({}), { 'query.collectionId': ['collectionId', 200] }),
  'POST /v1/articles': write(() => ({ body: { title: randomUUID() } }), {
    'body.collectionId': ['collectionId', 400],
    'body.slug': ['slug', 201],
  }),
  'GET /v1/articles/{id}': read(({ articleId }) => ({ id: articleId }), id('articleId')),
  'PATCH /v1/articles/{id}': write(({ articleId }) => ({ id: articleId, body: { title: 'Changed' } }), {
    ...id('articleId'),
    'body.collectionId': ['collectionId', 400],
    'body.slug': ['slug', 200],
  }),
  'DELETE /v1/articles/{id}': {
    needs: 'FULL_ACCESS',
    agent: false,
    request: ({ articleId }) => ({ id: articleId }),
    names: id('articleId'),
  },
  'GET /v1/agents': read(),
  'POST /v1/agents': {
    ...write(() => ({ body: { name: 'Bot', webhookUrl: nextUrl() } }), { 'body.webhookUrl': ['endpointUrl', 201] }),
    agent: false,
  },
  'GET /v1/agents/{id}': read(({ agentId }) => ({ id: agentId }), id('agentId')),
  'PATCH /v1/agents/{id}': {
    ...write(({ agentId }) => ({ id: agentId, body: { name: 'Changed' } }), {
      ...id('agentId'),
      'body.webhookUrl': ['endpointUrl', 200],
    }),
    agent: { neighbour: 403 },
  },
  'DELETE /v1/agents/{id}': {
    needs: 'FULL_ACCESS',
    agent: false,
    request: ({ agentId }) => ({ id: agentId }),
    names: id('agentId'),
  },
  'POST /agent/reply': write(({ conversationId }) => ({ body: { conversationId, body: 'Hi' } }), {
    'body.conversationId': ['conversationId', 404],
  }),
  'POST /agent/typing': write(({ conversationId }) => ({ body: { conversationId, typing: true } }), {
    'body.conversationId': ['conversationId', 404],
  }),
  'GET /agent/webhooks': read(),
  'POST /agent/webhooks': {
    needs: 'FULL_ACCESS',
    agent: true,
    request: () => ({ body: { url: nextUrl() } }),
    names: { 'body.url': ['endpointUrl', 201] },
  },
  'DELETE /agent/webhooks': {
    needs: 'FULL_ACCESS',
    agent: { neighbour: 404 },
    request: ({ endpointId }) => ({ body: { endpointId } }),
    names: { 'body.endpointId': ['endpointId', 404], 'body.url': ['endpointUrl', 404] },
  },
}

export interface OpenApiOperation {
  readonly parameters?: { readonly name?: string; readonly in?: string; readonly $ref?: string }[]
  readonly requestBody?: { content: { 'application/json': { schema: { properties?: object } } } }
}

export const document = JSON.parse(readFileSync(new URL('../../../openapi.json', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, OpenApiOperation>>
}
