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

function isPublic(address: string): boolean {
  return kindOfAddress(address) === null
}
