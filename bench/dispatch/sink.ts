/**
 * The receiver, a plain node:http server in a process of its own: it reads every POST, answers 200, and remembers every
 * `webhook-id` and when it came. One path never answers. The parent asks it by IPC.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export type SinkQuestion = { ask: 'count' } | { ask: 'report' } | { ask: 'reset' }

export interface SinkReport {
  /** Different ids. */
  readonly distinct: number
  /** Arrivals of ids that had come before. */
  readonly repeated: number
  /** Milliseconds from the first arrival to the last. */
  readonly spanMs: number
  /** Every id with the wall-clock time of its first arrival, in milliseconds. */
  readonly arrivals: readonly (readonly [id: string, at: number])[]
}

/** Whoever posts here gets no answer, and is not counted. */
const HANGING = '/hanging'

let arrivals = new Map<string, number>()
let repeated = 0
let last = 0

function arrive(id: string): void {
  last = performance.timeOrigin + performance.now()
  if (arrivals.has(id)) repeated++
  else arrivals.set(id, last)
}

function report(): SinkReport {
  const [first = 0] = arrivals.values()
  return { distinct: arrivals.size, repeated, spanMs: last - first, arrivals: [...arrivals] }
}

const server = createServer((request, response) => {
  request.resume()
  request.on('end', () => {
    if (request.url?.startsWith(HANGING)) return
    arrive(String(request.headers['webhook-id']))
    response.end()
  })
})
server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port })
})
process.on('message', ({ ask }: SinkQuestion) => {
  if (ask === 'reset') {
    arrivals = new Map()
    repeated = 0
  }
  process.send?.(ask === 'report' ? report() : { count: arrivals.size })
})
process.on('disconnect', () => process.exit(0))
