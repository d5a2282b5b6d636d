import { afterEach, describe, expect, test } from 'vitest'
import { DISPATCH_TOPIC } from '../../../src/domain/events/events.ts'
import { overSse, overWebSocket } from '../../graphql/live.ts'
import { backend, openPostgresThrough } from '../../support/database.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { startTcpProxy, type TcpProxy } from '../../support/peers/tcp-proxy.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { until } from '../../support/until.ts'

describe.runIf(backend === 'postgres')('the database is cut off', () => {
  let guddesk: TestGudDesk
  let proxy: TcpProxy
  let receiver: Receiver | undefined

  afterEach(async () => {
    proxy?.mend()
    await guddesk?.stop()
    await receiver?.close()
  })

  async function start(): Promise<void> {
    const db = await openPostgresThrough(async (url) => {
      proxy = await startTcpProxy(url, 5432)
      return proxy
    })
    guddesk = await startGudDesk({ db })
  }

  test('every transport answers unavailable, says when to try again, and works once it is back', async () => {
    await start()
    const conversationId = await guddesk.newConversation()
    const messages = `/api/v1/conversations/${conversationId}/messages`
    const live = [overSse(guddesk, { conversationId }), overWebSocket(guddesk, { conversationId })]
    const write = (body: string) =>
      guddesk.call('POST', messages, { body, type: 'AGENT' }, { headers: { 'Idempotency-Key': body } })
    const seen = () => live.map(({ events }) => events.length)
    let n = 0
    await until(async () => {
      await write(`before ${++n}`)
      return seen().every((count) => count > 0)
    })
    proxy.cut()
    const query = '{ conversations { totalCount } }'
    const answers = await Promise.all([
      guddesk.call('GET', '/api/v1/conversations'),
      guddesk.call('POST', messages, { body: 'plain' }),
      write('lost'),
      guddesk.call('POST', '/api/auth/sign-in/email', { email: 'a@example.com', password: 'x' }, { key: null }),
      guddesk.call('GET', '/healthz', undefined, { key: null }),
    ])
    for (const { status, headers, error } of answers) {
      expect([status, error.code]).toEqual([503, 'unavailable'])
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    }
    const overHttp = await guddesk.graphql(query)
    expect([overHttp.status, overHttp.body.errors[0].extensions.code]).toEqual([503, 'unavailable'])
    expect(Number(overHttp.headers.get('retry-after'))).toBeGreaterThan(0)
    const refused = overWebSocket(guddesk, { conversationId })
    await until(() => refused.errors.length > 0)
    expect(refused.errors[0]?.extensions).toMatchObject({ code: 'unavailable', retryAfterSeconds: 2 })
    expect(guddesk.logs.filter(({ level, msg }) => level === 50 && msg === 'request failed')).toEqual([])
    proxy.mend()
    await until(async () => (await write('after')).status === 201)
    const before = seen()
    await until(async () => {
      await write(`again ${++n}`)
      return seen().every((count, i) => count > (before[i] ?? 0))
    })
    for (const one of [...live, refused]) await one.stop()
  })

  test('what was waiting for an agent is sent once it is back', async () => {
    await start()
    receiver = await startReceiver()
    await guddesk.call('POST', '/api/agent/webhooks', { url: receiver.url })
    const conversationId = await guddesk.newConversation()
    proxy.cut()
    expect((await guddesk.call('GET', '/api/v1/conversations')).status).toBe(503)
    proxy.mend()
    const path = `/api/v1/conversations/${conversationId}/messages`
    await until(async () => (await guddesk.call('POST', path, { body: 'Back', type: 'AGENT' })).status === 201)
    guddesk.deps.bus.notify(DISPATCH_TOPIC)
    await until(() => receiver?.received.some(({ text }) => text.includes('Back')) ?? false, 20_000)
  })
})
