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

/** What each operation's context is made from. */
export interface Incoming {
  readonly req: IncomingMessage
  readonly requestId: string
  /** Adds to the answer's headers, where an answer has some. */
  readonly setHeaders?: (headers: Record<string, string>) => void
  /** Calls back when the answer has been sent, or cannot be. */
  whenAnswered(listener: () => void): void
  /** Aborted when nobody waits for the answer any more. */
  readonly gone?: AbortSignal
}

export interface WebSockets<Context extends object> {
  readonly yoga: YogaServerInstance<Incoming, Context>
  /** What may be asked for by an id. */
  readonly documents: KnownDocuments
  /** Longer messages close their socket. */
  readonly maxBytes: number
  /** Names an operation. */
  newRequestId(): string
  /** What the client may see of an error. */
  maskError(error: unknown): GraphQLError
  readonly log: Log
}

/** Operations that one connection may have open at once, subscriptions and others. */
const MAX_OPERATIONS = 100
/** How often a peer is asked whether it is there. One that has not answered by the next time is gone. */
const PING_MS = 12_000
/** What a stopping server allows peers to say goodbye. */
const GOODBYE_MS = 1000
/** A client that goes on asking while so much waits for it to read is not waited for. */
const MAX_UNREAD_BYTES = 8 * 2 ** 20

/** WebSocket's own code for a server that stops. */
const CLOSING = 1001

interface Extra {
  readonly request: IncomingMessage
  /** What to call when operations have been answered, by what asked for them. */
  readonly answered: Map<object, () => void>
  /** What runs, by its id: also what its client has completed, until it has ended. */
  readonly running: Map<string, object>
  isClosed(): boolean
}

type Enveloped = ReturnType<YogaServerInstance<Incoming, object>['getEnveloped']>

/**
 * Serves Yoga over graphql-ws. The connection's `connectionParams` stand in for headers.
 * @returns closes every socket
 */
export function serveGraphqlWs<Context extends object>(
  server: Server,
  options: WebSockets<Context>,
): () => Promise<void> {
  const { yoga, documents, maxBytes, newRequestId, maskError, log } = options
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxBytes,
    handleProtocols,
    // One message per turn of the event loop, however many come in one packet: between them others have theirs.
    allowSynchronousEvents: false,
  })
  server.on('upgrade', (req, socket, head) => {
    socket.on('error', () => socket.destroy())
    sockets.handleUpgrade(req, socket, head, (ws) => serve(ws, req))
  })
  // What is thrown from one of these would close the socket, and with it every other operation there.
  const graphql = makeServer<Record<string, unknown>, Extra>({
    jsonMessageReviver: keepNumbers,
    // Yoga's own, with its plugins: onSubscribe hands them over as the root value.
    execute: (args) => orErrors(async () => (args.rootValue as Enveloped).execute(args)),
    subscribe: (args) => orErrors(async () => (args.rootValue as Enveloped).subscribe(args)),
    onSubscribe: ({ extra, connectionParams }, id, payload) => {
      // One that was completed by its client may still run. Another one of its id would be taken for it when it ends.
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

  /** @returns what to run, or what is wrong with the document */
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

  /** In place of graphql-ws/use/ws, which writes to the console when a peer is lost, and does not mind unread answers. */
  function serve(socket: WebSocket, request: IncomingMessage): void {
    const stopPings = endWhenSilent(socket)
    // ws has closed the socket by then, with the code that fits.
    socket.on('error', (error) => log.debug({ err: error }, 'WebSocket failed'))
    const fail = (error: unknown) => {
      log.error({ err: error }, 'WebSocket message failed')
      socket.close(CloseCode.InternalServerError, 'Internal server error')
    }
    const answered = new Map<object, () => void>()
    const closed = graphql.opened(
      {
        protocol: socket.protocol,
        // Waits until the peer has taken it, so that one that does not read is sent one value per operation. What a lost
        // peer did not get is no fault of ours.
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

/** Why a message is not parsed; null when it may be. */
function faultOf(bytes: Buffer): string | null {
  try {
    checkJson(bytes)
    return null
  } catch (error) {
    if (error instanceof JsonError) return `The message ${error.message}`
    throw error
  }
}

/** @returns ends the pings */
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

/** No others: what tells where a request came from must not be the client's to say. */
const PARAMS = new Set(['authorization', 'x-api-key', 'x-workspace-id'])

/** The upgrade request, with the connection's parameters in the place of headers that browsers cannot set. */
function withParams(req: IncomingMessage, params: Record<string, unknown> | undefined): IncomingMessage {
  const fromParams = Object.entries(params ?? {}).flatMap(([name, value]) =>
    typeof value === 'string' && PARAMS.has(name.toLowerCase()) ? [[name.toLowerCase(), value] as const] : [],
  )
  return Object.assign(Object.create(req), {
    headers: { ...req.headers, ...Object.fromEntries(fromParams) },
  }) as IncomingMessage
}

/** As it is sent: without what is meant for HTTP. */
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
