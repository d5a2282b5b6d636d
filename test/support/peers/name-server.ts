import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import ipaddr from 'ipaddr.js'

/** The addresses of a name at this question; null: no answer at all. `count` is 1 for the first question of its type. */
export type Zone = (name: string, type: 'A' | 'AAAA', count: number) => string[] | null

/** A name server on UDP. A name without addresses exists and has none of that type. */
export interface NameServer {
  /** `host:port` */
  readonly address: string
  /** Every question: `A agent.example.com`. */
  readonly questions: string[]
  close(): Promise<void>
}

const TYPES = new Map([
  [1, 'A'],
  [28, 'AAAA'],
] as const)

export async function startNameServer(zone: Zone): Promise<NameServer> {
  const questions: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (query, { port, address }) => {
    const { name, end } = readName(query, 12)
    const type = TYPES.get(query.readUInt16BE(end) as 1 | 28)
    if (type === undefined) return
    questions.push(`${type} ${name}`)
    const count = questions.filter((question) => question === `${type} ${name}`).length
    const found = zone(name, type, count)
    if (found !== null) socket.send(answer(query, query.subarray(12, end + 4), found), port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    address: `127.0.0.1:${socket.address().port}`,
    questions,
    async close() {
      socket.close()
      await once(socket, 'close')
    },
  }
}

function readName(packet: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = []
  let at = start
  for (let length = packet.readUInt8(at); length > 0; length = packet.readUInt8(at)) {
    labels.push(packet.toString('latin1', at + 1, at + 1 + length).toLowerCase())
    at += 1 + length
  }
  return { name: labels.join('.'), end: at + 1 }
}

/** RFC 1035, 4.1: the question again, then one record with a time to live of 0 for each address. */
function answer(query: Buffer, question: Buffer, addresses: string[]): Buffer {
  const header = Buffer.alloc(12)
  header.writeUInt16BE(query.readUInt16BE(0), 0)
  header.writeUInt16BE(0x8180, 2) // an answer, recursion available
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(addresses.length, 6)
  const records = addresses.map((address) => {
    const bytes = Buffer.from(ipaddr.parse(address).toByteArray())
    const record = Buffer.alloc(12)
    record.writeUInt16BE(0xc00c, 0) // the question's name
    record.writeUInt16BE(bytes.length === 4 ? 1 : 28, 2)
    record.writeUInt16BE(1, 4)
    record.writeUInt16BE(bytes.length, 10)
    return Buffer.concat([record, bytes])
  })
  return Buffer.concat([header, question, ...records])
}
