import type { IncomingMessage, Server } from 'node:http'
import { createYoga, isAsyncIterable, type Plugin, type YogaServerInstance } from 'graphql-yoga'
import type Koa from 'koa'
import type { Headers } from '../auth/api-key.ts'
import type { Authenticator } from '../auth/authenticate.ts'
import type { CredentialWatch } from '../auth/credential-watch.ts'
import type { Deps } from '../domain/shared/deps.ts'
import { RateLimitedError, UnauthorizedError } from '../domain/shared/errors.ts'
import { PageBudget } from '../domain/shared/page-budget.ts'
import type { Charge } from '../domain/shared/rate-limits.ts'
import { MAX_BODY_BYTES, readBytes } from '../http/body.ts'
import { onResponseClosed } from '../http/connections.ts'
import { newRequestId } from '../http/middleware.ts'
import { GRAPHQL_PATH } from '../http/pages/paths.ts'
import { rateLimitHeaders } from '../http/rate-limit-headers.ts'
import type { AcquireSlot } from '../infra/concurrency-limit.ts'
import type { Streams } from '../live/streams.ts'
import { schema } from '../resolvers/index.ts'
import type { Context } from '../schema/context.ts'
import { createLoaders } from '../schema/loaders.ts'
import { maskError } from './errors.ts'
import { FAST_PATH, type FastPath } from './fast-path/index.ts'
import { idempotentMutations } from './idempotent-mutations.ts'
import {
  costOf,
  documentCaches,
  executionTimeout,
  hideSchema,
  isSubscription,
  jsonOnly,
  limits,
  maskedErrors,
  repeatsOf,
} from './plugins.ts'
import { serverSentEvents } from './sse.ts'
import { unconditionalSubscriptions } from './subscription-rules.ts'
import { ANY_DOCUMENT, type KnownDocuments } from './trusted-documents.ts'
import { firstFaultOfVariables } from './variables.ts'
import { type Incoming, serveGraphqlWs } from './websocket.ts'

export type Yoga = YogaServerInstance<Incoming, Context>

export interface GraphQLDeps {
  readonly deps: Deps
  readonly streams: Streams
  readonly credentials: CredentialWatch
  readonly authenticator: Authenticator
  /** Nothing is counted, when left out. */
  readonly charge?: Charge
  /** Each operation but a subscription has one until its answer has been taken. There are any number, when left out. */
  readonly acquireSlot?: AcquireSlot
  /** Messages may suggest the schema's names. */
  readonly isDevelopment: boolean
  /** Whether there is introspection; as `isDevelopment` when left out. */
  readonly introspection?: boolean
  /** Any, when left out. */
  readonly documents?: KnownDocuments
  /** Null: without it, every query is executed by the executor. */
  readonly fastPath?: FastPath | null
}

/** The GraphQL server with its guard rails (docs/graphql.md, Limits), not yet mounted anywhere. */
export function createGraphQL({
  deps,
  streams,
  credentials,
  authenticator,
  charge = async () => null,
  acquireSlot = async () => undefined,
  isDevelopment,
  introspection = isDevelopment,
  documents = ANY_DOCUMENT,
  fastPath = FAST_PATH,
}: GraphQLDeps): Yoga {
  const mask = (error: unknown, requestId: string) => maskError(deps, error, requestId)
  return createYoga<Incoming, Context>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    landingPage: false,
    // Other origins' pages have no business here: credentials would go with their requests.
    cors: false,
    // Served beside it, where introspection is on.
    graphiql: false,
    logging: false,
    multipart: false,
    batching: false,
    extraParamNames: ['documentId'],
    parserAndValidationCache: documentCaches(),
    plugins: [
      jsonOnly(),
      documents.plugin,
      limits(schema),
      unconditionalSubscriptions(),
      serverSentEvents(),
      hideSchema({ introspection, suggestions: isDevelopment && introspection }),
      firstFaultOfVariables(),
      fastPath?.compiledQueries<Context>(({ budget }) => budget.renew()) ?? {},
      exposeRateLimit(),
      newBudgets(),
      executionTimeout(),
      maskedErrors(mask),
      idempotentMutations(mask),
    ],
    maskedErrors: { maskError: (error) => maskError(deps, error) },
    context: (incoming) => contextOf({ deps, streams, credentials, authenticator, charge, acquireSlot }, incoming),
  })
}

/** Points of cost that count as one request. */
export const POINTS_PER_REQUEST = 500

/**
 * Authenticates and counts once per operation; whoever asks who it is learns why there is nobody.
 * @param incoming the very object that the operation was parsed with
 * @throws RateLimitedError
 */
async function contextOf(
  {
    deps,
    streams,
    credentials,
    authenticator,
    charge,
    acquireSlot,
  }: Required<Pick<GraphQLDeps, 'deps' | 'streams' | 'credentials' | 'authenticator' | 'charge' | 'acquireSlot'>>,
  incoming: Incoming,
): Promise<Context> {
  const { req, requestId, setHeaders, gone, whenAnswered } = incoming
  const request = { method: req.method, headers: req.headers, address: req.socket.remoteAddress }
  const caller = await authenticator.authenticate(request).catch(asError)
  if (caller instanceof RateLimitedError) throw caller
  const requests = Math.max(1, Math.ceil(costOf(incoming) / POINTS_PER_REQUEST))
  const rateLimit = caller instanceof Error ? null : await charge(caller, 'general', requests)
  if (rateLimit !== null) setHeaders?.(rateLimitHeaders(rateLimit))
  if (!(caller instanceof Error) && !isSubscription(incoming)) await acquireSlot(caller.credentialId, whenAnswered)
  const actor = caller instanceof Error ? caller : await caller.actorIn(workspaceIdOf(req.headers)).catch(asError)
  if (!(caller instanceof Error) && caller.renewal !== null) setHeaders?.({ 'Set-Cookie': caller.renewal })
  return {
    deps,
    streams,
    budget: new PageBudget(1 + repeatsOf(incoming)),
    loaders: createLoaders(
      deps,
      () => found(actor),
      () => found(caller),
    ),
    requestId,
    rateLimit,
    gone: gone ?? null,
    origin: authenticator.originOf(request),
    caller: () => found(caller),
    signedIn: () => {
      if (caller instanceof UnauthorizedError) return null
      const who = found(caller)
      return who.kind === 'session' ? who : null
    },
    actor: () => found(actor),
    whenRevoked: (listener) => credentials.watch(found(caller).credentialId, found(actor).workspaceId, listener),
  }
}

/** Tells in `extensions.rateLimit` of results where the caller stands: a WebSocket has no headers. */
function exposeRateLimit(): Plugin<Context> {
  return {
    onExecute: ({ args }) => ({
      onExecuteDone({ result, setResult }) {
        const { rateLimit } = args.contextValue
        if (rateLimit === null || isAsyncIterable(result)) return
        setResult({ ...result, extensions: { ...result.extensions, rateLimit } })
      },
    }),
  }
}

/** Each result of a subscription has as many bytes for its pages as an operation. */
function newBudgets(): Plugin<Context> {
  return {
    onSubscribe: ({ args }) => ({
      onSubscribeResult: () => ({ onNext: () => args.contextValue.budget.renew() }),
    }),
  }
}

function workspaceIdOf({ 'x-workspace-id': workspaceId }: Headers): string | undefined {
  return typeof workspaceId === 'string' ? workspaceId : undefined
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

/** @throws the error that stands in the place of what was looked for */
function found<T>(value: T | Error): T {
  if (value instanceof Error) throw value
  return value
}

/**
 * Mounts Yoga in Koa. The body is read here, so that its size is bounded.
 * @param fastPath null: without it, Yoga's HTTP layer answers every request
 */
export function graphqlMiddleware(
  yoga: Yoga,
  documents: KnownDocuments = ANY_DOCUMENT,
  fastPath: FastPath | null = FAST_PATH,
): Koa.Middleware {
  return async (ctx, next) => {
    if (ctx.path !== GRAPHQL_PATH) return next()
    const setHeaders = (headers: Record<string, string>) => {
      for (const [name, value] of Object.entries(headers)) ctx.res.setHeader(name, value)
    }
    const whenAnswered = (listener: () => void) => onResponseClosed(ctx.res, listener)
    const incoming: Incoming = { req: ctx.req, requestId: ctx.state['requestId'], setHeaders, whenAnswered }
    const body = ctx.method === 'POST' ? await readBytes(ctx) : undefined
    if (body !== undefined) {
      const answer = await fastPath?.answer(yoga, documents, { headers: ctx.headers, body }, incoming)
      if (answer !== undefined) {
        ctx.status = answer.status
        ctx.set(answer.headers)
        ctx.body = answer.body
        return
      }
    }
    ctx.respond = false
    const gone = new AbortController()
    ctx.res.once('close', () => gone.abort())
    try {
      await yoga.handle(ctx.req, ctx.res, { ...incoming, ...(body && { body }), gone: gone.signal })
    } catch (error) {
      ctx.respond = !ctx.res.headersSent
      throw error
    }
  }
}

/** Only these requests leave HTTP; any other offer to upgrade is declined by answering it as a plain request. */
export function isWebSocketUpgrade(req: IncomingMessage): boolean {
  return req.headers.upgrade?.toLowerCase() === 'websocket' && req.url?.split('?')[0] === GRAPHQL_PATH
}

/**
 * The same operations over graphql-ws on the same path. The credential is in the connection's `connectionParams`
 * (`authorization` or `x-api-key`, and `x-workspace-id`), or in the upgrade request's headers.
 * @returns closes every socket
 */
export function serveWebSockets(
  server: Server,
  yoga: Yoga,
  deps: Deps,
  documents: KnownDocuments = ANY_DOCUMENT,
): () => Promise<void> {
  const mask = (error: unknown) => maskError(deps, error)
  const options = { yoga, documents, maxBytes: MAX_BODY_BYTES, newRequestId, maskError: mask, log: deps.log }
  return serveGraphqlWs(server, options)
}
