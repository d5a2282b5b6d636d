import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'

/** The way to a PostgreSQL server, on which what is said is counted. */
export interface Wire {
  /** Leads through it to the same database. */
  readonly url: string
  /** Statements that were run so far, each time one is. */
  statements(): number
  /** How often the server has become ready for the next statement: a client waits for that. */
  roundTrips(): number
  close(): Promise<void>
}

/** Of the protocol's messages: https://www.postgresql.org/docs/current/protocol-message-formats.html */
const RUNS_STATEMENT = ['E', 'Q']
const READY = 'Z'

/** @param url of the server, without TLS */
export async function startWire(url: string): Promise<Wire> {
  const { hostname, port } = new URL(url)
  let statements = 0
  let roundTrips = 0
  const server = createServer((client) => {
    const target = connect(Number(port), hostname)
    const asked = messageTypes(true)
    const answered = messageTypes(false)
    client.on('data', (chunk: Buffer) => {
      statements += asked(chunk).filter((type) => RUNS_STATEMENT.includes(type)).length
      target.write(chunk)
    })
    target.on('data', (chunk: Buffer) => {
      roundTrips += answered(chunk).filter((type) => type === READY).length
      client.write(chunk)
    })
    for (const [one, other] of [[client, target] as const, [target, client] as const]) {
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const there = new URL(url)
  there.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: there.href,
    statements: () => statements,
    roundTrips: () => roundTrips,
    async close() {
      server.close()
      await once(server, 'close')
    },
  }
}

/**
 * Reads one direction of a connection. @returns the types of the messages that end in each chunk
 * @param startsUntyped a client's first message has no type
 */
function messageTypes(startsUntyped: boolean): (chunk: Buffer) => string[] {
  let rest: Buffer = Buffer.alloc(0)
  let typeBytes = startsUntyped ? 0 : 1
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    const types: string[] = []
    while (rest.length >= typeBytes + 4) {
      const end = typeBytes + rest.readInt32BE(typeBytes)
      if (rest.length < end) break
      if (typeBytes === 1) types.push(rest.toString('latin1', 0, 1))
      rest = rest.subarray(end)
      typeBytes = 1
    }
    return types
  }
}
