import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/**
 * The way to a server. It can be cut: connections are reset and new ones refused, as when the server is killed. And it can
 * hang: connections stay open, and nothing comes through.
 */
export interface TcpProxy {
  readonly port: number
  cut(): void
  hang(): void
  mend(): void
  wasCut(): boolean
  close(): Promise<void>
}

/** @param defaultPort where the URL names none */
export async function startTcpProxy(url: string, defaultPort: number): Promise<TcpProxy> {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  let isCut = false
  let hangs = false
  let wasCut = false
  const server = createServer((client) => {
    if (isCut) {
      client.resetAndDestroy()
      return
    }
    const target = connect(Number(port) || defaultPort, hostname)
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(from)
      from.on('data', (chunk) => to.write(chunk))
      if (hangs) from.pause()
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const drop = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true
      wasCut = true
      drop()
    },
    hang() {
      hangs = true
      for (const socket of sockets) socket.pause()
    },
    mend() {
      isCut = false
      hangs = false
      for (const socket of sockets) socket.resume()
    },
    wasCut: () => wasCut,
    async close() {
      drop()
      server.close()
      await once(server, 'close')
    },
  }
}
