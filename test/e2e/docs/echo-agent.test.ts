import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createNetServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'

const FOLDER = fileURLToPath(new URL('../../../examples/echo-agent', import.meta.url))

interface EchoAgent {
  readonly url: string
  output(): string
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
  signal(name: NodeJS.Signals): void
}

const children: ChildProcess[] = []

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

async function startEchoAgent(guddeskUrl: string, key: string): Promise<EchoAgent> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const child = spawn(process.execPath, ['agent.js'], {
    cwd: FOLDER,
    env: { GUDDESK_URL: guddeskUrl, GUDDESK_API_KEY: key, PUBLIC_URL: origin, PORT: String(port) },
  })
  children.push(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
  }
  const ended = once(child, 'exit').then(([code, signal]) => signal ?? code)
  return { url: `${origin}/webhook`, output: () => output, ended, signal: (name) => child.kill(name) }
}

async function freePort(): Promise<number> {
  const server = createNetServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const says = (agent: EchoAgent, text: string) => until(() => agent.output().includes(text), 15_000, agent.output)

describe('with GudDesk', () => {
  let guddesk: TestGudDesk
  let agent: EchoAgent

  beforeAll(async () => {
    // The tests ask again and again until an echo is there.
    guddesk = await startGudDesk({ env: { RATE_LIMIT_PER_MINUTE: '0' } })
  })
  afterAll(() => guddesk?.stop())
  beforeEach(async () => {
    agent = await startEchoAgent(guddesk.origin, guddesk.tenant.key)
    await says(agent, `Registered ${agent.url}`)
  })

  async function conversationOf(message: string): Promise<{ type: string; body: string; senderName: string }[]> {
    const conversationId = await guddesk.newConversation(guddesk.tenant, message)
    const path = `/api/v1/conversations/${conversationId}/messages`
    await until(async () => (await guddesk.call('GET', path)).data.length === 2, 10_000, agent.output)
    return (await guddesk.call('GET', path)).data
  }

  test.each([
    ['Arabic', 'أريد استرداد المبلغ للطلب رقم ١٢٣٤'],
    ['Chinese', '我想要订单1234的退款，谢谢。'],
    ['emoji', 'Refund? 🙏👨‍👩‍👧‍👦🏳️‍🌈🇺🇳'],
    ['control characters', 'a\u0001\u0002\b\t\n\r\u001b[31m\u007f\u0085\u2028\u2029\\"/\ufeffz'],
    ['keys that JavaScript treats specially', '{"__proto__": 1, "2": 0, "1": -0, "n": 1e21}'],
  ])('echoes %s', async (_name, body) => {
    const [question, echo] = await conversationOf(body)
    expect(question).toMatchObject({ type: 'VISITOR', body })
    expect(echo).toMatchObject({ type: 'BOT', body: `Echo: ${body}`, senderName: 'EchoBot' })
  })

  test.each([
    ['letters', 'x', 10_000],
    ['emoji', '🙏', 10_000],
    ['quotes', '"', 10_000],
    ['line separators', '\u2028', 10_000],
    ['control characters, but for the last one', '\u0001', 9_999],
  ])('echoes 10,000 %s', async (_name, character, count) => {
    const sent = `(${character.repeat(9_998)})`
    const whole = character.trim() === '' ? sent : character.repeat(10_000)
    const [question, echo] = await conversationOf(whole)
    expect(question?.body).toBe(whole)
    expect(echo?.body).toBe(`Echo: ${[...whole].slice(0, count).join('')}`)
  })

  test('refuses a wrong signature, a missing one, and a body that is not JSON', async () => {
    const body = JSON.stringify({ event: 'message.created', data: { type: 'VISITOR', body: 'Forged' } })
    const post = async (headers: Record<string, string>) =>
      (await fetch(agent.url, { method: 'POST', headers, body })).status
    const json = { 'content-type': 'application/json' }
    expect(await post({ ...json, 'x-guddesk-signature': `sha256=${'0'.repeat(64)}` })).toBe(401)
    expect(await post({ ...json, 'x-guddesk-signature': `sha256=${'é'.repeat(64)}` })).toBe(401)
    expect(await post(json)).toBe(401)
    expect(await post({ 'content-type': 'text/plain' })).toBe(401)
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('unregisters on %s and exits 0', async (signal) => {
    const urls = async () =>
      (await guddesk.call('GET', '/api/agent/webhooks')).data.map(({ url }: { url: string }) => url)
    expect(await urls()).toContain(agent.url)
    agent.signal(signal)
    expect(await agent.ended).toBe(0)
    expect(await urls()).not.toContain(agent.url)
  })

  test('gives up with a sentence when its key is refused', async () => {
    const refused = await startEchoAgent(guddesk.origin, 'gd_unknown')
    expect(await refused.ended).toBe(1)
    expect(refused.output()).toMatch(/GudDesk refused to register .+: .+/)
  })
})

describe('with a GudDesk that is not up yet', () => {
  async function startStub(answer: RequestListener): Promise<string> {
    const server = createServer(answer).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    onTestFinished(() => void server.close())
    return `http://127.0.0.1:${port}`
  }

  test('registers when it comes up', async () => {
    const requests: string[] = []
    const origin = await startStub((request, response) => {
      requests.push(`${request.method} ${request.url}`)
      if (requests.length === 1) return void response.writeHead(502).end('<html>Bad gateway</html>')
      response.end(JSON.stringify({ data: { endpoint: { secret: 'a'.repeat(64) } } }))
    })
    const agent = await startEchoAgent(origin, 'gd_any')
    await says(agent, 'retrying in 1 s')
    await says(agent, `Registered ${agent.url}`)
    agent.signal('SIGTERM')
    expect(await agent.ended).toBe(0)
    expect(requests).toEqual(['POST /api/agent/webhooks', 'POST /api/agent/webhooks', 'DELETE /api/agent/webhooks'])
  })

  test('stops at once while it waits', async () => {
    const agent = await startEchoAgent(`http://127.0.0.1:${await freePort()}`, 'gd_any')
    await says(agent, 'retrying in 1 s')
    agent.signal('SIGTERM')
    expect(await agent.ended).toBe(0)
  })
})
