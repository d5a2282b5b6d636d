import { createHmac, timingSafeEqual } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type Koa from 'koa'
import { request } from 'undici'
import { z } from 'zod'
import { echoCredentials } from '../domain/agents/echo-agent.ts'
import type { Deps } from '../domain/shared/deps.ts'
import { NotFoundError, UnauthorizedError } from '../domain/shared/errors.ts'
import { readBytes } from './body.ts'

const PATH = '/dev/echo-agent'
/** A delay that looks like thinking. */
const THINKING_MS = 600
const CALL_TIMEOUT_MS = 5000

const Delivery = z.object({
  event: z.string(),
  data: z.object({ conversationId: z.string(), type: z.string().optional(), body: z.string().optional() }),
})

/** The URL of the echo agent's webhook, once the server listens. */
export function echoAgentUrl(address: AddressInfo): string {
  const isEverywhere = address.address === '::' || address.address === '0.0.0.0'
  const host = isEverywhere ? '127.0.0.1' : address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${host}:${address.port}${PATH}`
}

/**
 * The service of the built-in echo agent, for development. It works like any other agent: it gets webhooks over HTTP,
 * verifies the signature, and replies through the REST API.
 */
export function serveEchoAgent(deps: Deps): Koa.Middleware {
  return async (ctx, next) => {
    if (ctx.path !== PATH || ctx.method !== 'POST') return next()
    const body = await readBytes(ctx)
    const credentials = await echoCredentials(deps, ctx.get('x-guddesk-agent-id'))
    if (credentials === null) throw new NotFoundError('Echo agent')
    if (!isSigned(body, credentials.webhookSecret, ctx.get('x-guddesk-signature'))) {
      throw new UnauthorizedError('The signature is not the secret’s')
    }
    const { event, data } = Delivery.parse(JSON.parse(body.toString('utf8')))
    ctx.status = 200
    ctx.body = { ok: true }
    if (event !== 'message.created' || data.type !== 'VISITOR') return
    const origin = new URL(deps.echoAgentUrl?.() ?? '').origin
    // The webhook gets its response first: thinking takes longer than GudDesk waits.
    answer(origin, credentials.apiKey, data.conversationId, data.body ?? '').catch((error: unknown) =>
      deps.log.warn({ err: error, conversationId: data.conversationId }, 'echo agent reply failed'),
    )
  }
}

function isSigned(body: Buffer, secret: string, header: string): boolean {
  const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`)
  const given = Buffer.from(header)
  return given.length === expected.length && timingSafeEqual(given, expected)
}

async function answer(origin: string, apiKey: string, conversationId: string, said: string): Promise<void> {
  await call(origin, apiKey, '/api/agent/typing', { conversationId, typing: true })
  await new Promise((resolve) => setTimeout(resolve, THINKING_MS))
  await call(origin, apiKey, '/api/agent/reply', { conversationId, body: `You wrote: ${said}` })
}

async function call(origin: string, apiKey: string, path: string, body: object): Promise<void> {
  const { statusCode, body: response } = await request(origin + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    headersTimeout: CALL_TIMEOUT_MS,
    bodyTimeout: CALL_TIMEOUT_MS,
  })
  const text = await response.text()
  if (statusCode >= 300) throw new Error(`${path} answered ${statusCode}: ${text.slice(0, 500)}`)
}
