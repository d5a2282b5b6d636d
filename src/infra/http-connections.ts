import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'
import { kindOfAddress } from './addresses.ts'

/** How long a peer may take no byte of what waits for it. */
export const UNREAD_MS = 15_000
const LOOK_MS = 1000

/**
 * Closes connections of an address that has `max` open already. Addresses of the own network are not counted: proxies
 * stand there, and all their clients' connections come from one.
 */
export function limitConnections(server: Server, max: number, isCounted = isPublic): void {
  const open = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress
    if (address === undefined || !isCounted(address)) return
    const others = open.get(address) ?? 0
    if (others >= max) {
      socket.destroy()
      return
    }
    open.set(address, others + 1)
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1
      if (left > 0) open.set(address, left)
      else open.delete(address)
    })
  })
}

/**
 * Answers a connection's requests one at a time. The next one begins when the system has taken the whole answer before it,
 * and the socket is not read while one waits: pipelined requests stay with their sender, but for the read that brought them.
 */
export function answerInTurn(answer: RequestListener): RequestListener {
  const lines = new WeakMap<Socket, Turn[]>()
  const begin = (line: Turn[], { request, response }: Turn) => {
    response.once('close', () => {
      line.shift()
      const [next] = line
      if (request.socket.destroyed) line.length = 0
      else if (next === undefined) request.socket.resume()
      else begin(line, next)
    })
    answer(request, response)
  }
  return (request, response) => {
    const { socket } = request
    const line = lines.get(socket) ?? newLine(socket)
    lines.set(socket, line)
    line.push({ request, response })
    if (line.length > 1) socket.pause()
    else begin(line, { request, response })
  }
}

interface Turn {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

function newLine(socket: Socket): Turn[] {
  const line: Turn[] = []
  // Node reads on when a request's body is asked for, or an answer has been sent.
  socket.on('resume', () => {
    if (line.length > 1) socket.pause()
  })
  return line
}

/** Calls back when the system has taken the whole answer, or its connection is gone. */
export function whenSent(response: ServerResponse, listener: () => void): void {
  if (response.destroyed) listener()
  else response.once('close', listener)
}

/**
 * Closes connections that take no byte for a while, though something waits for them: an answer, an event stream or a
 * WebSocket's messages. It would be kept as long as the connection is.
 */
export function closeUnread(server: Server, patienceMs = UNREAD_MS): void {
  const open = new Map<Socket, Progress>()
  server.on('connection', (socket: Socket) => {
    open.set(socket, { taken: 0, since: performance.now() })
    socket.once('close', () => open.delete(socket))
  })
  const timer = setInterval(() => {
    const now = performance.now()
    for (const [socket, progress] of open) {
      const taken = bytesTaken(socket)
      if (socket.writableLength === 0 || taken !== progress.taken) {
        progress.taken = taken
        progress.since = now
      } else if (now - progress.since >= patienceMs) socket.destroy()
    }
  }, LOOK_MS)
  timer.unref()
  server.once('close', () => clearInterval(timer))
}

interface Progress {
  taken: number
  /** When it last took something, or had nothing to take. */
  since: number
}

/**
 * Bytes that the system has taken. `bytesWritten` counts those of a write at once, however large it is; how many of them
 * wait, Node knows by a property of the socket's handle, and judges its own timeouts by it.
 */
function bytesTaken(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle')
  return counted(handle, 'bytesWritten') - counted(handle, 'writeQueueSize')
}

function counted(handle: unknown, name: string): number {
  const count: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, name) : undefined
  return typeof count === 'number' ? count : 0
}

function isPublic(address: string): boolean {
  return kindOfAddress(address) === null
}
