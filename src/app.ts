import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import Koa from 'koa'
import { keysInUse } from './auth/api-key.ts'
import { createAuthenticator } from './auth/authenticate.ts'
import { watchCredentials } from './auth/credential-watch.ts'
import { createAuthFailureThrottle } from './auth/failure-throttle.ts'
import type { OwnOrigins } from './auth/own-origin.ts'
import type { People } from './auth/people.ts'
import type { SessionTokens } from './auth/session-token.ts'
import type { Deps } from './domain/shared/deps.ts'
import { DomainError, RateLimitedError } from './domain/shared/errors.ts'
import { chargeBy } from './domain/shared/rate-limits.ts'
import { serveGraphiQL } from './graphql/graphiql.ts'
import { serveSchemaText } from './graphql/schema-text.ts'
import { createGraphQL, graphqlMiddleware, isWebSocketUpgrade, serveWebSockets } from './graphql/server.ts'
import type { KnownDocuments } from './graphql/trusted-documents.ts'
import {
  type AcquireRequestSlot,
  closeStalledConnections,
  limitConnections,
  onResponseClosed,
  rejectAfterPending,
  STALLED_MS,
  serializeRequests,
} from './http/connections.ts'
import { cors } from './http/cors.ts'
import { serveEchoAgent } from './http/echo-agent.ts'
import { answerHeaders } from './http/headers.ts'
import { serveMetrics } from './http/metrics.ts'
import { errorResponse, newRequestId, notFound, requestId } from './http/middleware.ts'
import { inDevelopment, type Pages, servePages } from './http/pages/dashboard.ts'
import { GRAPHQL_PATH } from './http/pages/paths.ts'
import { servePictures } from './http/pages/pictures.ts'
import { signInRoutes } from './http/pages/sign-in.ts'
import { concurrencyLimit } from './infra/concurrency-limit.ts'
import type { Config } from './infra/config.ts'
import type { Database } from './infra/database/db.ts'
import type { Metrics } from './infra/metrics.ts'
import { pathPattern } from './infra/path-pattern.ts'
import type { RateCounter } from './infra/redis/rate-counter.ts'
import { openStreams } from './live/streams.ts'
import { registerServerMetrics, requestDuration } from './metrics.ts'
import { restRouter } from './rest/app.ts'

export const HEADERS_TIMEOUT_MS = 15_000
export const REQUEST_TIMEOUT_MS = 30_000
const CHECK_CONNECTIONS_MS = 2000
/**
 * The maximum number of unfinished requests of one credential, including responses that the client has not taken.
 * Others wait.
 */
const MAX_UNDER_WAY = 8
/** The same on the embedded database, with its one shared connection. */
const MAX_UNDER_WAY_EMBEDDED = 4
/** Responses with more characters are converted to bytes at once. */
const LONG_BODY = 2 ** 16
/** The time that a stopping server gives to running requests. */
const FINISH_REQUESTS_MS = 4000

/** The parts of the HTTP server, besides the shared dependencies. */
export interface HttpParts {
  readonly people: People
  readonly tokens: SessionTokens
  readonly rates: RateCounter
  readonly pages: Pages | null
  readonly documents: KnownDocuments
  readonly metrics: Metrics
}

/** An HTTP server with all routes of its roles, which does not listen yet. Stopping it finishes running requests. */
export function assembleHttp(
  config: Config,
  deps: Deps,
  { people, tokens, rates, pages, documents, metrics }: HttpParts,
): { server: Server; stop: () => Promise<void> } {
  const streams = openStreams(deps)
  const credentials = watchCredentials(deps)
  const own: OwnOrigins = {
    origins: new Set([new URL(config.publicUrl).origin, ...config.trustedOrigins]),
    allowHost: config.env !== 'production',
  }
  const failures = createAuthFailureThrottle(
    config.failuresPerMinute,
    rates,
    (since) => keysInUse(deps, since),
    deps.clock,
  )
  const authenticator = createAuthenticator(deps, { trustProxy: config.trustProxy, tokens, own, failures })
  const charge = chargeBy(config.rateLimits, rates.hit, deps.clock)
  const acquireSlot = concurrencyLimit(
    deps.db.exclusive ? MAX_UNDER_WAY_EMBEDDED : MAX_UNDER_WAY,
    STALLED_MS,
    tooManyUnderWay,
  )
  const app = new Koa()
  app.on('error', (error) => {
    deps.log[isClientGone(error) ? 'debug' : 'error']({ err: error }, 'response failed')
  })
  let isStopping = false
  const headers = answerHeaders(config.publicUrl.startsWith('https:'))
  app.use((ctx, next) => {
    ctx.set(headers)
    return next()
  })
  app.use(longBodiesAsBytes)
  app.use(requestId())
  app.use(observeRequests(deps, metrics))
  app.use(errorResponse(deps))
  app.use(async (ctx, next) => {
    // Keep-alive connections end with their next response, so that stopping does not wait for idle clients.
    if (isStopping) ctx.set('Connection', 'close')
    await next()
  })
  app.use(refuseUnanswerable)
  app.use(cors(new Set(config.corsOrigins), isApi))
  app.use(health(deps.db, () => isStopping))
  app.use(serveMetrics(config.metricsToken, metrics))
  registerServerMetrics(metrics, { ...deps, rates, events: streams.events })
  if (config.metricsToken !== undefined) metrics.collectRuntime()
  const hasApi = config.roles.has('api')
  const isDevelopment = config.env !== 'production'
  const introspection = config.graphqlIntrospection
  const yoga = createGraphQL({
    ...{ deps, streams, credentials, authenticator, charge, acquireSlot },
    ...{ isDevelopment, introspection, documents },
  })
  if (hasApi) {
    if (introspection) app.use(serveGraphiQL()).use(serveSchemaText())
    app.use(graphqlMiddleware(yoga, documents))
    const startPath = new URL(`${config.publicUrl}/`).pathname
    app.use(signInRoutes({ deps, people, authenticator, failures, tokens, own, startPath }))
    const acquireSlotFor: AcquireRequestSlot = (credentialId, response) =>
      acquireSlot(credentialId, (release) => onResponseClosed(response, release))
    app.use(servePictures({ deps, authenticator, charge, acquireSlot: acquireSlotFor }))
    const { authenticateKey } = authenticator
    app.use(
      restRouter({
        deps,
        authenticate: authenticateKey,
        charge,
        acquireSlot: acquireSlotFor,
        version: config.version,
      }),
    )
    if (isDevelopment) app.use(serveEchoAgent(deps))
    app.use(servePages(pages !== null && isDevelopment ? inDevelopment(pages) : pages))
  }
  app.use(notFound())

  const options = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    // The interval at which Node checks for slow requests.
    connectionsCheckingInterval: CHECK_CONNECTIONS_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: config.keepAliveSeconds * 1000,
    // refuseUnanswerable responds instead, in the format of the contract.
    requireHostHeader: false,
    shouldUpgradeCallback: (req: IncomingMessage) => hasApi && isWebSocketUpgrade(req),
  }
  const answer = serializeRequests(app.callback())
  const server = createServer(options, answer)
  closeStalledConnections(server)
  if (config.connectionsPerAddress > 0) limitConnections(server, config.connectionsPerAddress)
  server.on('checkExpectation', answer)
  server.on('clientError', rejectAfterPending(REQUEST_TIMEOUT_MS, answerBadHttp))
  const closeSockets = hasApi ? serveWebSockets(server, yoga, deps, documents) : async () => undefined
  return {
    server,
    async stop() {
      isStopping = true
      const closed = new Promise((resolve) => server.close(resolve))
      credentials.close()
      streams.close()
      await closeSockets()
      server.closeIdleConnections()
      const slow = setTimeout(() => server.closeAllConnections(), FINISH_REQUESTS_MS)
      await closed
      clearTimeout(slow)
    },
  }
}

function tooManyUnderWay(): Error {
  return new RateLimitedError('Too many concurrent requests with this credential: wait until some have finished', 1000)
}

/** A text that waits for a slow reader would take memory twice: as text, and as the bytes to send. */
const longBodiesAsBytes: Koa.Middleware = async (ctx, next) => {
  await next()
  if (typeof ctx.body === 'string' && ctx.body.length > LONG_BODY) ctx.body = Buffer.from(ctx.body)
}

/** The paths that pages of other origins can call with a key; not signing in. */
function isApi({ path }: Koa.Context): boolean {
  return (
    path === GRAPHQL_PATH ||
    path === `${GRAPHQL_PATH}/schema.graphql` ||
    path.startsWith('/api/v1/') ||
    path.startsWith('/api/agent/') ||
    path === '/api/openapi.json'
  )
}

/** Whether the client left before the response was complete. */
function isClientGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
}

/** The characters of a name or address with a port (RFC 3986, 3.2.2). */
const HOST = /^[\w.~!$&'()*+,;=%:[\]-]*$/

/** Requirements of HTTP/1.1 (RFC 9112, 3.2; RFC 9110, 10.1.1). */
const refuseUnanswerable: Koa.Middleware = async ({ req, headers }, next) => {
  const isHostless = req.httpVersion === '1.1' && headers.host === undefined
  if (isHostless) throw new DomainError('bad_request', 'Send a Host header')
  // Node keeps the first one; a proxy may have checked another one.
  const names = req.rawHeaders.filter((text, i) => i % 2 === 0 && text.length === 4 && text.toLowerCase() === 'host')
  if (names.length > 1 || !HOST.test(headers.host ?? '')) {
    throw new DomainError('bad_request', 'Send one Host header, with the name or address of this server')
  }
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') {
    throw new DomainError('bad_request', 'The only supported value of Expect is 100-continue')
  }
  await next()
}

/**
 * 200 when the database responds, also when it is read-only; 503 otherwise, without the lock on the database, and while
 * stopping.
 */
function health(db: Database, isStopping: () => boolean): Koa.Middleware {
  const reasonAgainst = async () => {
    if (isStopping()) return 'Stopping'
    const answers = await db.sql('SELECT 1').then(
      () => true,
      () => false,
    )
    return answers ? (db.nodeLock?.lost ?? null) : 'The database does not answer'
  }
  return async (ctx, next) => {
    if (ctx.path !== '/healthz') return next()
    const reason = await reasonAgainst()
    if (reason !== null) {
      ctx.set('Retry-After', '2')
      throw new DomainError('unavailable', reason)
    }
    ctx.body = { data: { status: db.disk?.isFull ? 'read_only' : 'ok' } }
  }
}

/** Logs and times each request, by surface and status class. */
function observeRequests({ log }: Deps, metrics: Metrics): Koa.Middleware {
  const duration = requestDuration(metrics)
  return async (ctx, next) => {
    const began = performance.now()
    await next()
    const { method, path, status } = ctx
    const ms = performance.now() - began
    const surface = path === GRAPHQL_PATH ? 'graphql' : path.startsWith('/api/') ? 'rest' : 'other'
    duration.observe({ surface, status: `${Math.floor(status / 100)}xx` }, ms / 1000)
    const level = path === '/healthz' ? 'debug' : 'info'
    const requestId: unknown = ctx.state['requestId']
    log[level]({ requestId, method, path: pathPattern(path), status, durationMs: Math.round(ms) }, 'request completed')
  }
}

/** Responds to requests that Node's parser refuses, which never reach Koa, in the error format of the contract. */
function answerBadHttp(error: Error & { code?: string }, socket: Duplex): void {
  const isOverflow = error.code === 'HPE_HEADER_OVERFLOW'
  const isLate = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
  const late = 'The request took too long to arrive'
  const message = isOverflow ? 'The headers are too large' : isLate ? late : 'The request is not valid HTTP'
  const body = JSON.stringify({ error: { code: 'bad_request', message, status: 400 } })
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json; charset=utf-8\r\nX-Request-Id: ${newRequestId()}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    // A client that keeps its side open must not delay the stop.
    () => socket.destroy(),
  )
}
