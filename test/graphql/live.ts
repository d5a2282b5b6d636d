import { createClient as createSse } from 'graphql-sse'
import { createClient as createWs } from 'graphql-ws'
import { vi } from 'vitest'
import { WebSocket } from 'ws'
import { LogTailer } from '../../src/live/log-tailer.ts'
import type { TestGudDesk } from '../support/guddesk.ts'
import { until } from '../support/until.ts'

export const EVENTS = `subscription ($filter: EventFilter, $after: String) {
  events(filter: $filter, after: $after) { cursor event { id type conversation { id } payload createdAt } }
}`

export interface Event {
  readonly id: string
  readonly type: string
  readonly conversation: { readonly id: string } | null
  readonly payload: Record<string, unknown>
  readonly createdAt: string
}

export interface EventUpdate {
  readonly cursor: string
  readonly event: Event
}

export interface GraphQLFault {
  readonly message: string
  readonly extensions?: Record<string, unknown>
  /** Of the HTTP answer, when that was no success. */
  readonly status?: number
}

/** What a subscription brought. */
export interface Live<T = EventUpdate> {
  /** The values of its one field. */
  readonly events: T[]
  readonly errors: GraphQLFault[]
  /** Whether it has ended, by itself or otherwise. */
  isEnded(): boolean
  /** Ends it from the client's side. */
  stop(): Promise<void>
}

export interface Subscribe {
  readonly key?: string | null
  readonly headers?: Record<string, string>
  readonly query?: string
}

interface Result {
  readonly data?: Record<string, unknown> | null | undefined
  readonly errors?: readonly unknown[] | undefined
}

/** Gathers in the background. */
function gather<T>(results: AsyncIterableIterator<Result>, dispose: () => unknown): Live<T> {
  const events: T[] = []
  const errors: GraphQLFault[] = []
  let isEnded = false
  const running = (async () => {
    try {
      for await (const { data, errors: faults } of results) {
        errors.push(...((faults ?? []) as GraphQLFault[]))
        const [value] = Object.values(data ?? {})
        if (value != null) events.push(value as T)
      }
    } catch (error) {
      errors.push(...(await faultsOf(error)))
    } finally {
      isEnded = true
    }
  })()
  const stop = async () => {
    await results.return?.()
    await running
    await dispose()
  }
  return { events, errors, isEnded: () => isEnded, stop }
}

/** graphql-sse gives up at a status that is no success, and leaves the answer to be read. */
async function faultsOf(error: unknown): Promise<GraphQLFault[]> {
  if (error instanceof Error && 'response' in error && error.response instanceof Response) {
    const { status } = error.response
    const data = /^data: (.+)$/m.exec(await error.response.text())?.[1] ?? '{}'
    const { errors = [] } = JSON.parse(data) as { errors?: GraphQLFault[] }
    return errors.map((fault) => ({ ...fault, status }))
  }
  return (Array.isArray(error) ? error : [error]) as GraphQLFault[]
}

export type Transport = <T = EventUpdate>(guddesk: TestGudDesk, variables?: object, options?: Subscribe) => Live<T>

/** Starts a subscription of events. When it returns, it has its place in the log, or has ended. */
export async function placed<T>(start: () => T, isEnded: (live: T) => boolean = () => false): Promise<T> {
  const place = vi.spyOn(LogTailer.prototype, 'start')
  const live = start()
  await until(() => place.mock.settledResults.some(({ type }) => type === 'fulfilled') || isEnded(live))
  place.mockRestore()
  return live
}

/** graphql-ws with the credential in connectionParams. */
export const overWebSocket: Transport = (
  guddesk,
  variables = {},
  { key = guddesk.tenant.key, headers, query } = {},
) => {
  const connectionParams = { ...(key !== null && { authorization: `Bearer ${key}` }), ...headers }
  const url = guddesk.origin.replace('http', 'ws')
  const client = createWs({ url: `${url}/graphql`, webSocketImpl: WebSocket, connectionParams, retryAttempts: 0 })
  const results = client.iterate({ query: query ?? EVENTS, variables: { ...variables } })
  return gather(results as AsyncIterableIterator<Result>, () => client.dispose())
}

/** graphql-ws with the credential in the headers of the upgrade request. */
export const overWebSocketHeaders: Transport = (guddesk, variables = {}, options = {}) => {
  const { key = guddesk.tenant.key, headers, query } = options
  const own = { ...(key !== null && { authorization: `Bearer ${key}` }), ...headers }
  class WithHeaders extends WebSocket {
    constructor(address: string, protocols?: string | string[]) {
      super(address, protocols, { headers: own })
    }
  }
  const url = guddesk.origin.replace('http', 'ws')
  const client = createWs({ url: `${url}/graphql`, webSocketImpl: WithHeaders, retryAttempts: 0 })
  const results = client.iterate({ query: query ?? EVENTS, variables: { ...variables } })
  return gather(results as AsyncIterableIterator<Result>, () => client.dispose())
}

/** Server-sent events in graphql-sse's distinct connections mode. */
export const overSse: Transport = (guddesk, variables = {}, { key = guddesk.tenant.key, headers, query } = {}) => {
  const own = { ...(key !== null && { authorization: `Bearer ${key}` }), ...headers }
  const client = createSse({ url: `${guddesk.origin}/graphql`, headers: own, retryAttempts: 0 })
  const results = client.iterate({ query: query ?? EVENTS, variables: { ...variables } })
  return gather(results as AsyncIterableIterator<Result>, () => client.dispose())
}

export const TRANSPORTS: [string, Transport][] = [
  ['graphql-ws', overWebSocket],
  ['graphql-ws with headers', overWebSocketHeaders],
  ['server-sent events', overSse],
]

/** A message of graphql-transport-ws. */
export interface RawMessage {
  readonly type: string
  readonly id?: string
  readonly payload?: unknown
}

/** A WebSocket without a client's own mind: what is sent and what comes, as it is. */
export interface RawConnection {
  readonly messages: RawMessage[]
  /** After the connection is acknowledged. */
  send(message: RawMessage): void
  /** The code with which it was closed; null: it is open. */
  closedWith(): number | null
  close(): Promise<void>
}

export function connectRaw(guddesk: TestGudDesk, connectionParams: Record<string, string>): RawConnection {
  const socket = new WebSocket(`${guddesk.origin.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
  const messages: RawMessage[] = []
  const waiting: RawMessage[] = []
  let isAcknowledged = false
  let code: number | null = null
  const write = (message: RawMessage) => socket.send(JSON.stringify(message))
  socket.on('open', () => write({ type: 'connection_init', payload: connectionParams }))
  const ended = new Promise<void>((resolve) => {
    socket.on('close', (given) => {
      code = given
      resolve()
    })
  })
  socket.on('message', (data) => {
    const message: RawMessage = JSON.parse(String(data))
    if (message.type !== 'connection_ack') return void messages.push(message)
    isAcknowledged = true
    waiting.forEach(write)
  })
  return {
    messages,
    send: (message) => (isAcknowledged ? write(message) : void waiting.push(message)),
    closedWith: () => code,
    async close() {
      socket.close()
      await ended
    },
  }
}
