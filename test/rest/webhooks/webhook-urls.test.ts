import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ValidationError } from '../../../src/domain/shared/errors.ts'
import { checkWebhookUrl } from '../../../src/domain/webhooks/webhook-url.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { census, makeObjects, nextUrl } from '../objects.ts'

const PRODUCTION = { requireHttps: true, allowLoopback: false }

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(() => guddesk?.stop())

/** A URL of exactly that many characters. */
const ofLength = (length: number) => `http://localhost:9/${'a'.repeat(length)}`.slice(0, length)

/** Refused everywhere, with what the message must mention. */
const REFUSED: [what: string, url: string, rule: RegExp][] = [
  ['nothing', '', /empty|absolute/i],
  ['a word', 'webhook', /absolute/i],
  ['a path', '/webhook', /absolute/i],
  ['a URL without a scheme', '//localhost:9/webhook', /absolute/i],
  ['a name', 'localhost', /absolute/i],
  ['no host', 'http://', /absolute/i],
  ['a broken IPv6 address', 'http://[::1', /absolute/i],
  ['a port that cannot be', 'http://localhost:99999/', /absolute/i],
  ['port 0', 'https://example.com:0/', /port 0/],
  ['port 0, written at length', 'http://localhost:00000/', /port 0/],
  ['a space in the name', 'http://exa mple.com/', /absolute/i],
  ['ftp', 'ftp://localhost:9/hook', /https?:/],
  ['a file', 'file:///etc/passwd', /https?:/],
  ['a script', 'javascript:alert(1)', /https?:/],
  ['a WebSocket', 'ws://localhost:9/', /https?:/],
  ['a data URL', 'data:text/plain,hello', /https?:/],
  ['gopher', 'gopher://localhost:9/', /https?:/],
  ['user and password', 'http://user:pass@localhost:9/', /credentials/],
  ['a user', 'http://user@localhost:9/', /credentials/],
  ['a password', 'http://:pass@localhost:9/', /credentials/],
  ['2,049 characters', ofLength(2049), /2,?048/],
  ['5,000 characters', ofLength(5000), /2,?048/],
  ['2,048 characters that take more when they are encoded', `http://localhost:9/${'é'.repeat(700)}`, /2,?048/],
]

describe('everywhere', () => {
  test.each(REFUSED)('%s is refused, and the message says which rule', async (_, url, rule) => {
    const before = await census(guddesk)
    const { status, error } = await guddesk.call('POST', '/api/agent/webhooks', { url })
    expect([status, error?.code]).toEqual([400, 'bad_request'])
    expect(error.fields).toEqual([{ path: 'url', message: expect.stringMatching(rule) }])
    expect(error.message).toMatch(rule)
    expect(await census(guddesk)).toEqual(before)
  })

  test('agents’ webhookUrl follows the same rules, when it is installed and when it is changed', async () => {
    const { agentId } = await makeObjects(guddesk)
    const before = [await census(guddesk), (await guddesk.call('GET', `/api/v1/agents/${agentId}`)).data]
    for (const [what, webhookUrl, rule] of REFUSED) {
      for (const answer of [
        await guddesk.call('POST', '/api/v1/agents', { name: 'X', webhookUrl }),
        await guddesk.call('PATCH', `/api/v1/agents/${agentId}`, { webhookUrl }),
      ]) {
        expect([what, answer.status]).toEqual([what, 400])
        expect(answer.error.fields).toEqual([{ path: 'webhookUrl', message: expect.stringMatching(rule) }])
      }
    }
    expect([await census(guddesk), (await guddesk.call('GET', `/api/v1/agents/${agentId}`)).data]).toEqual(before)
  })

  test('2,048 characters are fine', async () => {
    const { status, data } = await guddesk.call('POST', '/api/agent/webhooks', { url: ofLength(2048) })
    expect(status).toBe(201)
    expect(data.endpoint.url).toBe(ofLength(2048))
  })

  test('a URL is kept as new URL() writes it, without fragment', async () => {
    for (const url of ['http://LOCALHOST:80/A b?q=ü#frag', 'https://example.com', 'http://localhost:9/a/../b/./c?#']) {
      const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url })
      const expected = new URL(url)
      expected.hash = ''
      expect(data.endpoint.url).toBe(expected.href.replace(/\?$/, ''))
    }
  })

  test('a question mark without a query is no other URL: registered, removed, and given to an agent', async () => {
    const url = nextUrl()
    const { data } = await guddesk.call('POST', '/api/agent/webhooks', { url: `${url}?` })
    expect(data.endpoint.url).toBe(url)
    for (const again of [url, `${url}?`, `${url}?#a`]) {
      const answer = await guddesk.call('POST', '/api/agent/webhooks', { url: again })
      expect([answer.status, answer.data.status, answer.data.endpoint]).toEqual([200, 'exists', data.endpoint])
    }
    const agent = await guddesk.call('POST', '/api/v1/agents', { name: 'X', webhookUrl: `${url}?` })
    expect([agent.status, agent.error?.code]).toEqual([409, 'conflict'])
    const other = await guddesk.call('POST', '/api/agent/webhooks', { url: `${url}?x=1?` })
    expect([other.status, other.data.endpoint.url]).toEqual([201, `${url}?x=1?`])
    expect((await guddesk.call('DELETE', '/api/agent/webhooks', { url: `${url}?` })).data).toEqual({ deleted: true })
    expect((await guddesk.call('DELETE', '/api/agent/webhooks', { url })).status).toBe(404)
  })
})

describe('in development', () => {
  test.each([
    'http://localhost:3001/webhook',
    'https://localhost:3001/webhook',
    'http://127.0.0.1:3001/',
    'http://127.1.2.3/',
    'http://[::1]:3001/webhook',
    'https://your-agent.invalid/webhook',
    'https://8.8.8.8/webhook',
  ])('%s is fine', async (url) => {
    expect((await guddesk.call('POST', '/api/agent/webhooks', { url })).status).toBe(201)
  })
})

describe('in production', () => {
  const refused = (url: string) => expect(checkWebhookUrl(PRODUCTION, url)).rejects

  test.each(['http://example.com/hook', 'http://8.8.8.8/', 'http://localhost:3001/webhook', 'HTTP://EXAMPLE.COM/'])(
    '%s is not https',
    async (url) => {
      await refused(url).toThrow(/https:\/\//)
      await refused(url).toBeInstanceOf(ValidationError)
    },
  )

  test.each([
    'https://localhost/',
    'https://LOCALHOST:8443/hook',
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://127.0.0.1./',
    'https://１２７.0.0.1/',
    'https://0.0.0.0/',
    'https://0/',
    'https://10.0.0.1/',
    'https://10.255.255.255:8443/',
    'https://172.16.0.1/',
    'https://172.31.255.255/',
    'https://192.168.1.1/',
    'https://169.254.169.254/latest/meta-data/',
    'https://100.64.0.1/',
    'https://168.63.129.16/',
    'https://192.0.0.1/',
    'https://192.0.2.1/',
    'https://198.18.0.1/',
    'https://198.51.100.1/',
    'https://203.0.113.1/',
    'https://224.0.0.1/',
    'https://240.0.0.1/',
    'https://255.255.255.255/',
    'https://[::]/',
    'https://[::1]/',
    'https://[0:0:0:0:0:0:0:1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://[::ffff:a00:1]/',
    'https://[::10.0.0.1]/',
    'https://[64:ff9b::10.0.0.1]/',
    'https://[64:ff9b:1::10.0.0.1]/',
    'https://[2002:a00:1::]/',
    'https://[2001:0:a00:1::]/',
    'https://[2001:db8::1]/',
    'https://[fc00::1]/',
    'https://[fd12:3456::1]/',
    'https://[fe80::1]/',
    'https://[fec0::1]/',
    'https://[ff02::1]/',
    'https://[100::1]/',
  ])('%s is private, loopback, link-local or reserved', async (url) => {
    await refused(url).toThrow(/private|loopback|link-local|reserved/)
    await refused(url).toBeInstanceOf(ValidationError)
  })

  test.each([
    'https://8.8.8.8/hook',
    'https://172.32.0.1/',
    'https://[2606:4700:4700::1111]/hook',
    'https://your-agent.invalid/hook',
    'https://your-agent.invalid:8443/hook?x=1',
  ])('%s is fine', async (url) => {
    expect(await checkWebhookUrl(PRODUCTION, url)).toBe(url)
  })

  test.each(REFUSED)('%s is refused as everywhere', async (_, url) => {
    await refused(url).toBeInstanceOf(ValidationError)
  })
})

test('the unit under test is what development uses: loopback is accepted there only', async () => {
  const url = nextUrl()
  expect(await checkWebhookUrl(guddesk.deps.targets, url)).toBe(url)
  await expect(checkWebhookUrl({ requireHttps: false, allowLoopback: false }, url)).rejects.toThrow(/loopback/)
})
