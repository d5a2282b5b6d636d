import type { RequestListener } from 'node:http'
import type { Server, Socket } from 'node:net'
import { kindOfAddress } from './addresses.ts'

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
 * Closes a connection that sends a request while `max` of its requests have no answer yet. Each would begin at once: in one
 * packet that costs a client nothing there is work for seconds. Browsers and proxies wait for each answer.
 */
export function limitPipelining(max: number, answer: RequestListener): RequestListener {
  const unanswered = new WeakMap<Socket, number>()
  return (request, response) => {
    const { socket } = request
    const others = unanswered.get(socket) ?? 0
    if (others >= max) {
      socket.destroy()
      return
    }
    unanswered.set(socket, others + 1)
    response.once('close', () => unanswered.set(socket, (unanswered.get(socket) ?? 1) - 1))
    answer(request, response)
  }
}

function isPublic(address: string): boolean {
  return kindOfAddress(address) === null
}
