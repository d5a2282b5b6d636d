import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'
import { kindOfAddress } from '../infra/net/addresses.ts'

/** The time in which a peer must take at least one byte of pending data. */
export const STALLED_MS = 15_000
const LOOK_MS = 1000

/**
 * Closes new connections of an address that has already `max` connections. Private addresses are not counted: they are
 * proxies, whose clients share one address.
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
 * Handles the requests of a connection one at a time. The next one starts when the system has taken the whole response
 * to the previous one. The socket is not read while a request waits, so that pipelined requests stay with their sender,
 * except for the last read.
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

/** The unfinished requests of a connection. */
interface Pipeline {
  readonly pending: PipelinedRequest[]
  /** The latest request, finished or not, and the number of requests. */
  latest: IncomingMessage | null
  received: number
  /** The time when the socket was read again after a pause, by `performance.now()`. */
  readSince: number
  /** Responds to invalid data behind the requests, and closes the connection. */
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
  // Node resumes the socket whenever a request's body is read, or a response has been sent. Pausing it again afterwards
  // would be late: the system reads on, up to 2 MB.
  const resume = socket.resume.bind(socket)
  socket.resume = () => (line.pending.length > 1 ? socket : resume())
  socket.on('resume', () => {
    line.readSince = performance.now()
  })
  return line
}

/**
 * Handles `clientError`: refuses invalid and late requests after the previous requests are finished, so that the
 * response is not taken for theirs. A request that waited unread behind others gets its full time from when its
 * connection is read.
 * @param requestMs the time in which a request must arrive
 */
export function rejectAfterPending(
  requestMs: number,
  refuse: (error: Error, socket: Socket) => void,
): (error: Error & { code?: string }, socket: Socket) => void {
  const refuseLast = (line: Pipeline, error: Error, socket: Socket) => {
    const { pending: turns, latest } = line
    const last = turns.at(-1)
    if (latest?.complete === false) {
      // Its body does not arrive. If it still waits, it is refused; if it is finished, its response is enough.
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

/** The remaining milliseconds of a request that others have kept from being read. */
function timeLeft({ readSince }: Pipeline, socket: Socket, requestMs: number): number {
  return socket.isPaused() ? requestMs : readSince + requestMs - performance.now()
}

/** Node checks the time of a message once; this finds those that are late afterwards. */
function allowTime(line: Pipeline, socket: Socket, requestMs: number, refuse: () => void): void {
  /** The message that Node counted as late: the body of the latest request, or the headers after it. */
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

/** Waits for a slot of the credential. The request holds it until the client has taken the response. */
export type AcquireRequestSlot = (credentialId: string, response: ServerResponse) => Promise<void>

/** Calls back when the system has taken the whole response, or the connection is closed. */
export function onResponseClosed(response: ServerResponse, listener: () => void): void {
  if (response.destroyed) listener()
  else response.once('close', listener)
}

/**
 * Closes connections that take no byte for a while although data waits for them: a response, an event stream or
 * WebSocket messages. The data would stay in memory as long as the connection.
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
  /** The time when the peer last took data, or none was pending. */
  since: number
}

/**
 * The number of bytes that the system has taken. `bytesWritten` counts a whole write at once; the socket's handle knows
 * how many of its bytes still wait, and Node's own timeouts use it, too.
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
