import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'
import { kindOfAddress } from '../infra/net/addresses.ts'

/** How long a peer may take no byte of what waits for it. */
export const STALLED_MS = 15_000
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
export function serializeRequests(answer: RequestListener): RequestListener {
  const begin = (line: Pipeline, { request, response }: PipelinedRequest) => {
    response.once('close', () => {
      line.pending.shift()
      const [next] = line.pending
      if (request.socket.destroyed) line.pending.length = 0
      else if (next !== undefined) begin(line, next)
      else if (line.refuse !== null) line.refuse()
      else request.socket.resume()
    })
    answer(request, response)
  }
  return (request, response) => {
    const { socket } = request
    const line = pipelines.get(socket) ?? newPipeline(socket)
    line.latest = request
    line.received += 1
    if (line.refuse !== null) return
    line.pending.push({ request, response })
    if (line.pending.length > 1) socket.pause()
    else begin(line, { request, response })
  }
}

/** A connection's requests that are not answered yet. */
interface Pipeline {
  readonly pending: PipelinedRequest[]
  /** The request that came last, answered or not; and how many came. */
  latest: IncomingMessage | null
  received: number
  /** When the socket was read again after a pause, as `performance.now()`. */
  readSince: number
  /** Answers what came behind them and is no request, and closes the connection. What comes after that is left alone. */
  refuse: (() => void) | null
}

interface PipelinedRequest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

const pipelines = new WeakMap<Socket, Pipeline>()

function newPipeline(socket: Socket): Pipeline {
  const line: Pipeline = { pending: [], latest: null, received: 0, readSince: Number.NEGATIVE_INFINITY, refuse: null }
  pipelines.set(socket, line)
  // Node reads on when a request's body is asked for, or an answer has been sent.
  socket.on('resume', () => {
    if (line.pending.length > 1) socket.pause()
    else line.readSince = performance.now()
  })
  return line
}

/**
 * Listens for `clientError`, and refuses what is no request, or did not arrive in time, once the requests before it are
 * answered: its answer must not be taken for theirs. A request that waited unread behind them has its time again from when
 * its connection is read.
 * @param requestMs how long a request may take to arrive
 */
export function rejectAfterPending(
  requestMs: number,
  refuse: (error: Error, socket: Socket) => void,
): (error: Error & { code?: string }, socket: Socket) => void {
  const refuseLast = (line: Pipeline, error: Error, socket: Socket) => {
    const { pending: turns, latest } = line
    const last = turns.at(-1)
    if (latest?.complete === false) {
      // It began, and its body does not go on. Waiting for others, it shall not be answered; answered, it has its answer.
      if (last?.request === latest && turns.length > 1) turns.pop()
      else if (last?.request !== latest || last.response.headersSent) return socket.destroy()
      else return refuse(error, socket)
    }
    line.refuse ??= () => refuse(error, socket)
    if (turns.length === 0) line.refuse()
  }
  return (error, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    const line = pipelines.get(socket)
    if (line === undefined) refuse(error, socket)
    else if (error.code !== 'ERR_HTTP_REQUEST_TIMEOUT' || timeLeft(line, socket, requestMs) <= 0) {
      refuseLast(line, error, socket)
    } else allowTime(line, socket, requestMs, () => refuseLast(line, error, socket))
  }
}

/** Milliseconds that a request behind others still has, when these have kept it from being read. */
function timeLeft({ readSince }: Pipeline, socket: Socket, requestMs: number): number {
  return socket.isPaused() ? requestMs : readSince + requestMs - performance.now()
}

/** Node looks at a message's time once: what is late all the same is found here. */
function allowTime(line: Pipeline, socket: Socket, requestMs: number, refuse: () => void): void {
  /** The message that Node counted as late: the latest one's body, or the headers after it. */
  const number = line.latest?.complete === false ? line.received : line.received + 1
  const hasArrived = () => line.received > number || (line.received === number && line.latest?.complete === true)
  let timer: NodeJS.Timeout | undefined
  const stop = () => clearTimeout(timer)
  const look = () => {
    const left = timeLeft(line, socket, requestMs)
    if (!hasArrived() && left > 0) {
      timer = setTimeout(look, Math.ceil(left))
      return
    }
    socket.off('close', stop)
    if (!hasArrived()) refuse()
  }
  socket.once('close', stop)
  look()
}

/** Waits until the credential may have one more request under way, which it is until the client has taken the answer. */
export type AcquireRequestSlot = (credentialId: string, response: ServerResponse) => Promise<void>

/** Calls back when the system has taken the whole answer, or its connection is gone. */
export function onResponseClosed(response: ServerResponse, listener: () => void): void {
  if (response.destroyed) listener()
  else response.once('close', listener)
}

/**
 * Closes connections that take no byte for a while, though something waits for them: an answer, an event stream or a
 * WebSocket's messages. It would be kept as long as the connection is.
 */
export function closeStalledConnections(server: Server, patienceMs = STALLED_MS): void {
  const open = new Map<Socket, WriteProgress>()
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

interface WriteProgress {
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
