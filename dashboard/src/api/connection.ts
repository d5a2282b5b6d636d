import { createClient, type Client as SocketClient } from 'graphql-ws'

/** `connecting` until the first connection stands; `reconnecting` whenever one was lost. */
export type ConnectionState = 'connecting' | 'live' | 'reconnecting'

/** The one WebSocket of a workspace, which comes back by itself, and what it tells the page about itself. */
export interface Connection {
  readonly socket: SocketClient
  /** For useSyncExternalStore. */
  readonly state: () => ConnectionState
  readonly subscribe: (listener: () => void) => () => void
  /** Calls back each time a lost connection stands again: whatever happened meanwhile has been missed. */
  readonly onResumed: (listener: () => void) => () => void
  close(): void
}

/** Without an answer to a ping within this, the connection is taken for dead. */
const PONG_MS = 5000
const PING_EVERY_MS = 10_000
const LONGEST_WAIT_MS = 8000

export function openConnection(workspaceId: string): Connection {
  let state: ConnectionState = 'connecting'
  const listeners = new Set<() => void>()
  const resumed = new Set<() => void>()
  const become = (next: ConnectionState) => {
    if (state === next) return
    const wasLost = state === 'reconnecting'
    state = next
    for (const listener of listeners) listener()
    if (wasLost && next === 'live') for (const listener of resumed) listener()
  }

  let pongTimer: ReturnType<typeof setTimeout> | undefined
  let webSocket: WebSocket | undefined
  const url = new URL('/graphql', location.href)
  url.protocol = url.protocol.replace('http', 'ws')
  const socket = createClient({
    url: url.href,
    connectionParams: { 'x-workspace-id': workspaceId },
    lazyCloseTimeout: 30_000,
    keepAlive: PING_EVERY_MS,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: (retries) => waitOrOnline(Math.min(LONGEST_WAIT_MS, 250 * 2 ** retries) * (0.75 + Math.random() / 2)),
    on: {
      opened: (opened) => {
        webSocket = opened instanceof WebSocket ? opened : undefined
      },
      connected: () => become('live'),
      closed: () => {
        clearTimeout(pongTimer)
        if (state !== 'connecting') become('reconnecting')
      },
      ping: (received) => {
        if (!received) pongTimer = setTimeout(() => webSocket?.close(4408, 'no answer'), PONG_MS)
      },
      pong: (received) => {
        if (received) clearTimeout(pongTimer)
      },
    },
  })
  const whenOffline = () => webSocket?.close(4499, 'offline')
  addEventListener('offline', whenOffline)

  return {
    socket,
    state: () => state,
    subscribe: (listener) => addTo(listeners, listener),
    onResumed: (listener) => addTo(resumed, listener),
    close() {
      removeEventListener('offline', whenOffline)
      void socket.dispose()
    },
  }
}

function addTo(listeners: Set<() => void>, listener: () => void): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** Ends early when the browser finds its network again. */
function waitOrOnline(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer)
      removeEventListener('online', finish)
      resolve()
    }
    const timer = setTimeout(finish, ms)
    addEventListener('online', finish)
  })
}
