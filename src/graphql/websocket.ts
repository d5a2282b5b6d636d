import type { IncomingMessage, Server } from 'node:http'
import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  type GraphQLFormattedError,
} from 'graphql'
import { CloseCode, handleProtocols, makeServer, type SubscribePayload } from 'graphql-ws'
import type { YogaServerInstance } from 'graphql-yoga'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { checkJson, JsonError, keepNumbers } from '../infra/json.ts'
import type { Log } from '../infra/log.ts'
import type { KnownDocuments } from './trusted-documents.ts'

/** The basis of each operation's context. */
export interface Incoming {
  readonly req: IncomingMessage
  readonly requestId: string
  /** Adds headers to the response, if the transport has any. */
  readonly setHeaders?: (headers: Record<string, string>) => void
  /** Calls back when the response has been sent, or cannot be. */
  whenAnswered(listener: () => void): void
  /** Aborted when the client no longer waits for the response. */
  readonly gone?: AbortSignal
}

export interface WebSockets<Context extends object> {
  readonly yoga: YogaServerInstance<Incoming, Context>
  /** The documents that can be requested by id. */
  readonly documents: KnownDocuments
  /** Longer messages close their socket. */
  readonly maxBytes: number
  /** Assigns an id to an operation. */
  newRequestId(): string
  /** The public form of an error. */
  maskError(error: unknown): GraphQLError
  readonly log: Log
}

/** The maximum number of open operations of one connection, including subscriptions. */
const MAX_OPERATIONS = 100
/** The interval of pings. A peer that has not responded by the next one is closed. */
const PING_MS = 12_000
/** The time that a stopping server gives peers to close. */
const GOODBYE_MS = 1000
/** A client that sends more requests while this much waits for it to read is closed. */
const MAX_UNREAD_BYTES = 8 * 2 ** 20

/** WebSocket's code for a server that stops. */
const CLOSING = 1001

interface Extra {
  readonly request: IncomingMessage
  /** Callbacks after the responses of operations, by their requests. */
  readonly answered: Map<object, () => void>
  /** Running operations by id, including those that the client has completed, until they end. */
  readonly running: Map<string, object>
  isClosed(): boolean
}

type Enveloped = ReturnType<YogaServerInstance<Incoming, object>['getEnveloped']>

/** Serves Yoga over graphql-ws. The connection's `connectionParams` replace headers. @returns closes every socket */
export function serveGraphqlWs<Context extends object>(
  server: Server,
  options: WebSockets<Context>,
): () => Promise<void> {
  const { yoga, documents, maxBytes, newRequestId, maskError, log } = options
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxBytes,
    handleProtocols,
    // One message per turn of the event loop, even if a packet contains many, so that others get their turn.
    allowSynchronousEvents: false,
  })
  server.on('upgrade', (req, socket, head) => {
    socket.on('error', () => socket.destroy())
    sockets.handleUpgrade(req, socket, head, (ws) => serve(ws, req))
  })
  // An exception would close the socket, with all other operations on it.
  const graphql = makeServer<Record<string, unknown>, Extra>({
    jsonMessageReviver: keepNumbers,
    // Yoga's execute and subscribe with its plugins: onSubscribe passes them as root value.
    execute: (args) => orErrors(async () => (args.rootValue as Enveloped).execute(args)),
    subscribe: (args) => orErrors(async () => (args.rootValue as Enveloped).subscribe(args)),
    onSubscribe: ({ extra, connectionParams }, id, payload) => {
      // An operation that its client has completed can still run. A new one with its id would be mistaken for it.
      if (extra.running.has(id)) return [stillRunning()]
      if (extra.running.size >= MAX_OPERATIONS) return [tooManyOperations()]
      extra.running.set(id, payload)
      const req = withParams(extra.request, connectionParams)
      const whenAnswered = (listener: () => void) =>
        extra.isClosed() ? listener() : void extra.answered.set(payload, listener)
      return prepare({ req, requestId: newRequestId(), whenAnswered }, payload).catch((error) => [maskError(error)])
    },
    onNext: (_context, _id, _payload, _args, { errors, data, extensions }) =>
      errors && {
        errors: errors.map((error) => formatted(maskError(error))),
        ...(data !== undefined && { data }),
        ...(extensions && { extensions }),
      },
    onComplete: ({ extra }, id, payload) => hasEnded(extra, id, payload),
    onError: ({ extra }, id, payload, errors) => {
      hasEnded(extra, id, payload)
      return errors.map((error) => formatted(maskError(error)))
    },
  })

  function hasEnded({ answered, running }: Extra, id: string, payload: object): void {
    if (running.get(id) === payload) running.delete(id)
    answered.get(payload)?.()
    answered.delete(payload)
  }

  /** @returns the execution arguments, or the errors of the document */
  async function prepare(
    incoming: Incoming,
    payload: SubscribePayload,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const params = documents.resolve(payload)
    const { query, variables, operationName } = params
    const enveloped: Enveloped = yoga.getEnveloped({ ...incoming, params })
    const { schema, parse, validate, contextFactory, execute, subscribe } = enveloped
    const document: DocumentNode = parse(query)
    const errors: readonly GraphQLError[] = validate(schema, document)
    if (errors.length > 0) return errors
    const contextValue: unknown = await contextFactory()
    return {
      schema,
      operationName,
      document,
      variableValues: variables,
      contextValue,
      rootValue: { execute, subscribe },
    }
  }

  async function orErrors<T>(run: () => Promise<T>): Promise<T | ExecutionResult> {
    return run().catch((error) => ({ errors: [maskError(error)] }))
  }

  /** Replaces graphql-ws/use/ws, which logs lost peers to the console, and does not limit unread responses. */
  function serve(socket: WebSocket, request: IncomingMessage): void {
    const stopPings = endWhenSilent(socket)
    // ws has already closed the socket, with a suitable code.
    socket.on('error', (error) => log.debug({ err: error }, 'WebSocket failed'))
    const fail = (error: unknown) => {
      log.error({ err: error }, 'WebSocket message failed')
      socket.close(CloseCode.InternalServerError, 'Internal server error')
    }
    const answered = new Map<object, () => void>()
    const closed = graphql.opened(
      {
        protocol: socket.protocol,
        // Waits until the peer has taken the message, so that a slow reader gets one value per operation. Errors of a
        // lost peer are ignored.
        send: (data) => new Promise((resolve) => socket.send(data, () => resolve())),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (handle) => {
          socket.on('message', (data) => {
            if (socket.bufferedAmount > MAX_UNREAD_BYTES) return socket.terminate()
            const bytes = bytesOf(data)
            const fault = faultOf(bytes)
            if (fault !== null) return socket.close(CloseCode.BadRequest, fault)
            handle(bytes.toString('utf8')).catch(fail)
          })
        },
      },
      { request, answered, running: new Map(), isClosed: () => socket.readyState === socket.CLOSED },
    )
    socket.once('close', (code, reason) => {
      stopPings()
      for (const answer of answered.values()) answer()
      closed(code, String(reason)).catch(fail)
    })
  }

  return async () => {
    for (const socket of sockets.clients) socket.close(CLOSING, 'Going away')
    const late = setTimeout(() => {
      for (const socket of sockets.clients) socket.terminate()
    }, GOODBYE_MS)
    await new Promise((resolve) => sockets.close(resolve))
    clearTimeout(late)
  }
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data)
  return Buffer.isBuffer(data) ? data : Buffer.from(data)
}

/** The reason why a message is not parsed; null when it is. */
function faultOf(bytes: Buffer): string | null {
  try {
    checkJson(bytes)
    return null
  } catch (error) {
    if (error instanceof JsonError) return `The message ${error.message}`
    throw error
  }
}

/** @returns stops the pings */
function endWhenSilent(socket: WebSocket): () => void {
  let hasAnswered = true
  socket.on('pong', () => {
    hasAnswered = true
  })
  const timer = setInterval(() => {
    if (!hasAnswered) return socket.terminate()
    hasAnswered = false
    socket.ping()
  }, PING_MS)
  return () => clearInterval(timer)
}

/** Only these: the client must not choose the headers that reveal the origin of a request. */
const PARAMS = new Set(['authorization', 'x-api-key', 'x-workspace-id'])

/** The upgrade request, with `connectionParams` instead of headers that browsers cannot set. */
function withParams(req: IncomingMessage, params: Record<string, unknown> | undefined): IncomingMessage {
  const fromParams = Object.entries(params ?? {}).flatMap(([name, value]) =>
    typeof value === 'string' && PARAMS.has(name.toLowerCase()) ? [[name.toLowerCase(), value] as const] : [],
  )
  return Object.assign(Object.create(req), {
    headers: { ...req.headers, ...Object.fromEntries(fromParams) },
  }) as IncomingMessage
}

/** The result as it is sent: without data for HTTP. */
function formatted(error: GraphQLError): GraphQLFormattedError {
  const { extensions: { http: _, ...extensions } = {}, ...rest } = error.toJSON()
  return { ...rest, extensions }
}

function stillRunning(): GraphQLError {
  const message = 'An operation with this id is still running: use another id, or wait until it has finished'
  return new GraphQLError(message, { extensions: { code: 'conflict' } })
}

function tooManyOperations(): GraphQLError {
  const message = `This connection has ${MAX_OPERATIONS} open operations, the maximum: complete some, or open another connection`
  return new GraphQLError(message, { extensions: { code: 'rate_limited' } })
}
