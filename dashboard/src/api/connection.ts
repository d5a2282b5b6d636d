import { createClient, type Client as SocketClient } from 'graphql-ws'

/** `connecting` until the first connection stands; `reconnecting` whenever one was lost. */
export type ConnectionState = 'connecting' | 'live' | 'reconnecting'

/** The one WebSocket of a workspace, and what it tells the page about itself. */
export interface Connection {
  readonly socket: SocketClient
  /** For useSyncExternalStore. */
  readonly state: () => ConnectionState
  readonly subscribe: (listener: () => void) => () => void
  close(): void
}

/** Without an answer to a ping within this, the connection is taken for dead. */
const PONG_MS = 5000
const PING_EVERY_MS = 10_000

export function openConnection(workspaceId: string): Connection {
  let state: ConnectionState = 'connecting'
  const listeners = new Set<() => void>()
  const become = (next: ConnectionState) => {
    if (state === next) return
    state = next
    for (const listener of listeners) listener()
  }

  let pongTimer: ReturnType<typeof setTimeout> | undefined
  const url = new URL('/graphql', location.href)
  url.protocol = url.protocol.replace('http', 'ws')
  const socket = createClient({
    url: url.href,
    connectionParams: { 'x-workspace-id': workspaceId },
    lazyCloseTimeout: 30_000,
    keepAlive: PING_EVERY_MS,
    // follow() tries again by itself, with the cursor that it has reached by then.
    retryAttempts: 0,
    on: {
      connected: () => become('live'),
      closed: () => {
        clearTimeout(pongTimer)
        become('reconnecting')
      },
      ping: (received) => {
        if (!received) pongTimer = setTimeout(() => socket.terminate(), PONG_MS)
      },
      pong: (received) => {
        if (received) clearTimeout(pongTimer)
      },
    },
  })
  // At once: a close waits for what is still to be sent, which without a network may be for ever.
  const whenOffline = () => socket.terminate()
  addEventListener('offline', whenOffline)

  return {
    socket,
    state: () => state,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close() {
      removeEventListener('offline', whenOffline)
      void socket.dispose()
    },
  }
}
