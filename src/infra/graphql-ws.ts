import type { IncomingMessage, Server } from 'node:http'
import type { DocumentNode, GraphQLError, GraphQLFormattedError } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import type { YogaServerInstance } from 'graphql-yoga'
import { WebSocketServer } from 'ws'

/** What each operation's context is made from. */
export interface Incoming {
  readonly req: IncomingMessage
  readonly requestId: string
  /** Answers with a Set-Cookie, where an answer has headers. */
  readonly renew?: (cookie: string) => void
}

export interface WebSockets<Context extends object> {
  readonly yoga: YogaServerInstance<Incoming, Context>
  /** Longer messages close their socket. */
  readonly maxBytes: number
  /** Names an operation. */
  newRequestId(): string
  /** What the client may see of an error. */
  maskError(error: unknown): GraphQLError
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
  const { yoga, maxBytes, newRequestId, maskError } = options
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxBytes })
  server.on('upgrade', (req, socket, head) => {
    socket.on('error', () => socket.destroy())
    sockets.handleUpgrade(req, socket, head, (ws) => sockets.emit('connection', ws, req))
  })
  const { dispose } = useServer(
    {
      // Yoga's own, with its plugins: onSubscribe hands them over as the root value.
      execute: (args) => (args.rootValue as Enveloped).execute(args),
      subscribe: (args) => (args.rootValue as Enveloped).subscribe(args),
      onSubscribe: async ({ extra, connectionParams }, _id, payload) => {
        const req = withParams(extra.request, connectionParams)
        const enveloped = yoga.getEnveloped({ req, requestId: newRequestId(), params: payload })
        const { schema, execute, subscribe, contextFactory, parse, validate } = enveloped
        let document: DocumentNode
        try {
          document = parse(payload.query)
        } catch (error) {
          // Thrown from here it would close the socket, and with it every other subscription.
          return [maskError(error)]
        }
        const errors = validate(schema, document)
        if (errors.length > 0) return errors
        return {
          schema,
          operationName: payload.operationName,
          document,
          variableValues: payload.variables,
          contextValue: await contextFactory(),
          rootValue: { execute, subscribe },
        }
      },
      onError: (_context, _id, _payload, errors) => errors.map((error) => formatted(maskError(error))),
    },
    sockets,
  )
  return async () => {
    await dispose()
  }
}

/** No others: what tells where a request came from must not be the client's to say. */
const PARAMS = new Set(['authorization', 'x-api-key', 'x-workspace-id'])

/** The upgrade request, with the connection's parameters in the place of headers that browsers cannot set. */
function withParams(req: IncomingMessage, params: Record<string, unknown> | undefined): IncomingMessage {
  const given = Object.entries(params ?? {}).flatMap(([name, value]) =>
    typeof value === 'string' && PARAMS.has(name.toLowerCase()) ? [[name.toLowerCase(), value] as const] : [],
  )
  return Object.assign(Object.create(req), {
    headers: { ...req.headers, ...Object.fromEntries(given) },
  }) as IncomingMessage
}

/** As it is sent: without what is meant for HTTP. */
function formatted(error: GraphQLError): GraphQLFormattedError {
  const { extensions: { http: _, ...extensions } = {}, ...rest } = error.toJSON()
  return { ...rest, extensions }
}
