import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** An endpoint that answers at once. */
export interface Receiver {
  readonly url: string
  /** Called with each arrival's text, after the answer. */
  onArrival: (text: string) => void
  /** Different X-GudDesk-Delivery values, and all arrivals. */
  readonly deliveries: ReadonlySet<string>
  arrivals(): number
  /** performance.now() of the last arrival. */
  lastAt(): number
}

export async function startReceiver(cleanup: AsyncDisposableStack): Promise<Receiver> {
  const deliveries = new Set<string>()
  let arrivals = 0
  let lastAt = 0
  const server = createServer(async (request, response) => {
    const body = await text(request)
    response.end()
    arrivals++
    lastAt = performance.now()
    deliveries.add(String(request.headers['x-guddesk-delivery']))
    receiver.onArrival(body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup.defer(async () => {
    server.close()
    server.closeAllConnections()
  })
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    onArrival: () => undefined,
    deliveries,
    arrivals: () => arrivals,
    lastAt: () => lastAt,
  }
  return receiver
}
