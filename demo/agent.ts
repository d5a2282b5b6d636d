import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Client, connect } from './client.ts'
import { Journal } from './journal.ts'

/** A webhook as it arrived. */
export interface Webhook {
  readonly path: string
  /** Names as they were sent, in their order. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The exact body. */
  readonly text: string
  readonly event: string
  readonly data: { readonly conversationId: string; readonly messageId?: string; readonly type?: string; body?: string }
  /** X-GudDesk-Delivery: the same on every retry. */
  readonly delivery: string
  readonly signature: { readonly received: string; readonly computed: string; readonly isValid: boolean }
  /** performance.now() when the body was complete, and after its signature was checked. */
  readonly at: number
  readonly verifiedAt: number
}

/** A sent echo. */
export interface Echo {
  /** The visitor's message, and the reply to it. */
  readonly messageId: string
  readonly replyId: string
  readonly status: number
  /** performance.now() when the reply was sent, and when it was stored. */
  readonly sentAt: number
  readonly at: number
}

/** An agent on a real HTTP server: it verifies webhooks, responds at once, and optionally echoes messages. */
export interface Agent {
  readonly id: string
  readonly url: string
  readonly webhooks: Journal<Webhook>
  readonly echoes: Journal<Echo>
}

export interface Options {
  readonly name: string
  readonly path?: string
  readonly echoes?: boolean
  readonly events?: { readonly onConversationCreated: boolean }
}

interface Installed {
  readonly id: string
  readonly credentials: { readonly webhookSecret: string; readonly apiKey: string }
}

/** Starts an agent and installs it with the administrator's key. */
export async function startAgent(admin: Client, options: Options, cleanup: AsyncDisposableStack): Promise<Agent> {
  const { name, path = '/webhook', echoes: isEcho = false, events } = options
  const webhooks = new Journal<Webhook>()
  const echoes = new Journal<Echo>()
  const { promise: installed, resolve: install } = Promise.withResolvers<Installed>()

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await bodyOf(request)
    const at = performance.now()
    const { credentials } = await installed
    const webhook = verify(request, text, credentials.webhookSecret, at)
    response.writeHead(webhook.signature.isValid ? 200 : 401).end()
    webhooks.push(webhook)
    const { event, data, signature } = webhook
    if (!isEcho || !signature.isValid || event !== 'message.created' || data.type !== 'VISITOR') return
    echoes.push(await echo(connect(admin.origin, credentials.apiKey), data))
  }

  const server = createServer((request, response) => {
    receive(request, response).catch((error: Error) => {
      response.destroy()
      webhooks.fail(error)
      echoes.fail(error)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup.defer(async () => {
    server.closeAllConnections()
    server.close()
  })

  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
  const { data } = await admin.call<Installed>('POST', '/api/v1/agents', { name, webhookUrl: url, events })
  install(data)
  return { id: data.id, url, webhooks, echoes }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** Computes the signature over the parsed and re-serialized body, as agents with a JSON body parser do. */
function verify(request: IncomingMessage, text: string, secret: string, at: number): Webhook {
  const body = JSON.parse(text) as Pick<Webhook, 'event' | 'data'>
  const computed = `sha256=${createHmac('sha256', secret).update(JSON.stringify(body)).digest('hex')}`
  const received = String(request.headers['x-guddesk-signature'])
  const isValid = isEqual(Buffer.from(received), Buffer.from(computed))
  const { rawHeaders: raw, url: path = '' } = request
  const headers = raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1] ?? ''] as const] : []))
  const delivery = String(request.headers['x-guddesk-delivery'])
  const { event, data } = body
  const signature = { received, computed, isValid }
  return { path, headers, text, event, data, delivery, signature, at, verifiedAt: performance.now() }
}

function isEqual(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

async function echo(client: Client, { conversationId, messageId = '', body }: Webhook['data']): Promise<Echo> {
  const sentAt = performance.now()
  const reply = { conversationId, body: `Echo: ${body}` }
  const { status, data } = await client.call<{ messageId: string }>('POST', '/api/agent/reply', reply)
  return { messageId, replyId: data.messageId, status, sentAt, at: performance.now() }
}
