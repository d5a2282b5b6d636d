import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { WebSocket } from 'ws'
import { EACH, type HeavyRequest } from './heavy.ts'

/** What follows a message that needs no answer: by the last one, it has been handled. */
const PINGS = 20

/** @returns the answer's status, or what a WebSocket said */
export async function send(origin: string, heavy: HeavyRequest, credential: string): Promise<string> {
  const authorization = heavy.signedIn ? { authorization: `Bearer ${credential}` } : {}
  return heavy.transport === 'WebSocket'
    ? overWebSocket(origin, heavy, authorization)
    : overHttp(origin, heavy, authorization)
}

async function overHttp(
  origin: string,
  { method, path, headers, body }: HeavyRequest,
  authorization: object,
): Promise<string> {
  const { hostname, port } = new URL(origin)
  const sent = request({ hostname, port, method, path, headers: { ...authorization, ...headers }, agent: false })
  sent.end(body)
  try {
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    const isStream = answer.headers['content-type']?.startsWith('text/event-stream') === true
    // A stream may go on for ever: its first bytes tell that it has begun.
    for await (const _ of answer) if (isStream) break
    return String(answer.statusCode)
  } catch (error) {
    // Closed while the body was still on its way.
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  } finally {
    sent.destroy()
  }
}

async function overWebSocket(
  origin: string,
  { name, body = '', times }: HeavyRequest,
  authorization: object,
): Promise<string> {
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
  const messages: string[] = []
  let closed: number | undefined
  let heard = () => {}
  socket.on('message', (data) => {
    messages.push(String(data))
    heard()
  })
  socket.on('close', (code) => {
    closed = code
    heard()
  })
  socket.on('error', () => {})
  const next = async (from: number) => {
    while (closed === undefined && messages.length <= from) await new Promise<void>((resolve) => (heard = resolve))
    return messages[from]
  }
  await once(socket, 'open')
  if (!name.startsWith('init')) {
    socket.send(JSON.stringify({ type: 'connection_init', payload: authorization }))
    await next(0)
  }
  let seen = messages.length
  for (let i = 0; i < times; i++) socket.send(body.replaceAll(EACH, String(i)))
  for (let i = 0; i < PINGS; i++) {
    if (closed === undefined) socket.send('{"type":"ping"}')
    const answer = await next(seen++)
    if (answer === undefined || !answer.includes('"pong"')) break
  }
  socket.terminate()
  return closed === undefined ? (messages.at(-1) ?? '').slice(0, 40) : String(closed)
}
