import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { until } from './until.ts'

/** A webhook request as it arrived. */
export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The exact text. */
  readonly text: string
  readonly event: string
  readonly data: Record<string, unknown>
  /** performance.now() when the body was complete. */
  readonly at: number
}

/** Decides the answer. Leaving the response open is a receiver that hangs. */
export type Behaviour = (response: ServerResponse, request: Received, count: number) => void

/** A real HTTP server that receives webhooks and can be slow, dead, rude or endless. */
export interface Receiver {
  readonly url: string
  readonly port: number
  readonly received: Received[]
  behave(behaviour: Behaviour): void
  /** Waits until `count` requests have arrived. */
  waitFor(count: number, timeoutMs?: number): Promise<Received[]>
  close(): Promise<void>
}

export const answer =
  (status: number, headers: Record<string, string> = {}, body = ''): Behaviour =>
  (response) => {
    response.writeHead(status, headers).end(body)
  }

export async function startReceiver(port = 0): Promise<Receiver> {
  const received: Received[] = []
  let behaviour = answer(200)
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8')
      const { event, data } = JSON.parse(text) as { event: string; data: Record<string, unknown> }
      const { url: path = '', headers } = request
      const entry = { path, headers, text, event, data, at: performance.now() }
      received.push(entry)
      behaviour(response, entry, received.length)
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${bound}/webhook`,
    port: bound,
    received,
    behave: (next) => {
      behaviour = next
    },
    async waitFor(count, timeoutMs = 10_000) {
      await until(
        () => received.length >= count,
        timeoutMs,
        () => `${received.length} of ${count} webhooks arrived`,
      )
      return received
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
