import { describe, expect, test } from 'vitest'
import { createHttpClient } from '../../../src/dispatch/send/http-client.ts'
import { checkWebhookUrl } from '../../../src/domain/webhooks/webhook-url.ts'
import { parseRange } from '../../../src/infra/net/addresses.ts'
import type { TargetPolicy } from '../../../src/infra/net/target-policy.ts'
import { startReceiver } from '../../support/receiver.ts'
import { ANSWERS, PRODUCTION, resolve } from './target-policies.ts'

describe('what a name resolves to', () => {
  test.each(ANSWERS)('%j: fine is %s', async (addresses, isFine) => {
    const policy = { ...PRODUCTION, resolve: async () => addresses }
    const url = 'https://agent.example.com/'
    if (isFine) {
      expect(await checkWebhookUrl(policy, url)).toBe(url)
      return
    }
    await expect(checkWebhookUrl(policy, url)).rejects.toThrow('must not resolve to a private')
    const sender = createHttpClient(policy)
    const error = 'The host name resolves to a private, loopback or reserved address'
    expect(await sender.post(url, {}, '{}')).toEqual({ kind: 'refused', error })
    sender.close()
  })

  test('a name that does not resolve is accepted when it is saved', async () => {
    const policy: TargetPolicy = { ...PRODUCTION, resolve: () => Promise.reject(new Error('no such name')) }
    expect(await checkWebhookUrl(policy, 'https://soon.example.com/')).toBe('https://soon.example.com/')
  })
})

describe('an operator opens', () => {
  const answers: Record<string, string> = {
    'agent.internal': '10.1.2.3',
    'a.agents.corp': '192.168.7.7',
    'imds.agents.corp': '169.254.169.254',
    agent: '172.18.0.4',
  }
  const names: TargetPolicy = {
    ...PRODUCTION,
    resolve: async (name) => [answers[name] ?? '93.184.216.34'],
    openHosts: ['agent.internal', '*.agents.corp', 'agent'],
  }

  test.each([
    'https://agent.internal/',
    'https://AGENT.internal:9200/',
    'https://a.agents.corp/',
    'https://agent/',
    'http://agent:8000/hook',
    'http://a.agents.corp/',
  ])('the host of %s', async (url) => {
    await expect(checkWebhookUrl(names, url)).resolves.toBe(url.toLowerCase())
  })

  test.each([
    'https://other.internal/',
    'https://x.agent.internal/',
    'https://agents.corp/',
    'https://10.1.2.3/',
    'http://x.agent.internal/',
    'http://10.1.2.3/',
    'http://example.com/',
    'http://imds.agents.corp/',
    'https://imds.agents.corp/',
  ])('and not %s', async (url) => {
    await expect(checkWebhookUrl(names, url)).rejects.toThrow()
  })

  const ranges: TargetPolicy = {
    ...PRODUCTION,
    resolve: async () => ['10.20.0.9'],
    openRanges: ['10.20.0.0/16', 'fd12::/16', '64:ff9b::/96'].map(parseRange),
  }

  test.each([
    'https://10.20.0.1/',
    'https://10.20.255.255:6379/',
    'https://[fd12::1]/',
    'https://agent.example.com/',
    'https://[64:ff9b::808:808]/',
    'http://10.20.0.1:8000/hook',
    'http://[fd12::1]/',
    'http://[64:ff9b::a14:1]/',
  ])('the range of %s', async (url) => {
    expect(await checkWebhookUrl(ranges, url)).toBe(url)
  })

  test.each([
    'https://10.21.0.1/',
    'https://[fd13::1]/',
    'https://agent.internal/',
    'https://127.0.0.1/',
    // The form is open, what stands in it is judged by itself.
    'https://[64:ff9b::7f00:1]/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'https://[64:ff9b::808:808]:6379/',
  ])('and not %s', async (url) => {
    await expect(checkWebhookUrl(ranges, url)).rejects.toThrow(/refused/)
  })

  test.each([
    'http://10.21.0.1/',
    'http://8.8.8.8/',
    // Public behind NAT64, and names that anybody may lead into the range.
    'http://[64:ff9b::808:808]/',
    'http://agent.example.com/',
  ])('and no http to %s', async (url) => {
    await expect(checkWebhookUrl(ranges, url)).rejects.toThrow(/https/)
    const sender = createHttpClient(ranges)
    expect(await sender.post(url, {}, '{}')).toEqual({ kind: 'refused', error: 'The URL must start with https://' })
    sender.close()
  })

  test('what a webhook reaches over http in production', async () => {
    const receiver = await startReceiver()
    const policy: TargetPolicy = { ...PRODUCTION, openHosts: ['agent'], resolve: async () => ['127.0.0.1'] }
    const byRange: TargetPolicy = { ...PRODUCTION, openRanges: [parseRange('127.0.0.0/8')] }
    for (const [target, host] of [
      [policy, 'agent'],
      [byRange, '127.0.0.1'],
    ] as const) {
      const sender = createHttpClient(target)
      const exchange = await sender.post(`http://${host}:${receiver.port}/`, {}, '{}')
      expect(exchange).toMatchObject({ kind: 'answered', statusCode: 200 })
      sender.close()
    }
    await receiver.close()
  })

  test('an IPv4 address within an open NAT64 range may itself be open', async () => {
    await expect(checkWebhookUrl(ranges, 'https://[64:ff9b::a14:1]/')).resolves.toContain('64:ff9b')
  })
})

describe('in development', () => {
  const development: TargetPolicy = { requireHttps: false, allowLoopback: true, resolve }

  test.each(['http://localhost:3001/', 'http://127.0.0.1:6379/', 'http://[::1]:9/', 'https://agent.localhost/'])(
    '%s is fine',
    async (url) => {
      expect(await checkWebhookUrl(development, url)).toBe(url)
    },
  )

  test.each([
    'http://10.0.0.1/',
    'http://169.254.169.254/',
    'http://[fd00::1]/',
    'http://db.internal/',
    'http://0.0.0.0/',
  ])('%s is refused as everywhere', async (url) => {
    await expect(checkWebhookUrl(development, url)).rejects.toThrow(/refused/)
  })

  /** [URL, what it resolves to, what the operator sets; null: nothing is advised] */
  const OPENED: [url: string, address: string, setting: string | null][] = [
    ['http://10.0.0.1/', '', 'WEBHOOK_ALLOWED_CIDRS=10.0.0.1/32'],
    ['http://[::ffff:10.0.0.1]/', '', 'WEBHOOK_ALLOWED_CIDRS=10.0.0.1/32'],
    ['http://[fd00::1]/', '', 'WEBHOOK_ALLOWED_CIDRS=fd00::1/128'],
    ['http://169.254.1.1/', '', 'WEBHOOK_ALLOWED_CIDRS=169.254.1.1/32'],
    ['http://agent:8000/', '172.18.0.4', 'WEBHOOK_ALLOWED_HOSTS=agent'],
    ['http://DB.internal./', '10.0.0.7', 'WEBHOOK_ALLOWED_HOSTS=db.internal'],
    ['http://agent.example.com/', '10.0.0.7', 'WEBHOOK_ALLOWED_HOSTS=agent.example.com'],
    ['http://agent.example.com/', 'fe80::1', 'WEBHOOK_ALLOWED_CIDRS=fe80::1/128'],
    ['http://169.254.169.254/', '', null],
    ['http://agent.example.com/', '169.254.169.254', null],
    ['http://0.0.0.0/', '', null],
  ]

  /** The message when a URL is saved, and the one of an attempt to send to it. */
  async function messages(policy: TargetPolicy, url: string): Promise<string[]> {
    const saved = await checkWebhookUrl(policy, url).catch((error: Error) => error.message)
    const sender = createHttpClient(policy)
    const exchange = await sender.post(url, {}, '{}')
    sender.close()
    expect(exchange.kind).toBe('refused')
    return [saved, exchange.kind === 'refused' ? exchange.error : '']
  }

  test.each(OPENED)(
    '%s, which leads to "%s", is refused with %s, and in production without',
    async (url, address, setting) => {
      const policy: TargetPolicy = { ...development, resolve: async () => [address] }
      for (const message of await messages(policy, url)) {
        if (setting === null) expect(message).not.toContain('WEBHOOK_ALLOWED')
        else expect(message).toContain(`; to allow it, set ${setting}`)
      }
      const inProduction: TargetPolicy = { ...PRODUCTION, resolve: async () => [address] }
      for (const message of await messages(inProduction, url.replace('http:', 'https:'))) {
        expect(message).not.toContain('WEBHOOK_ALLOWED')
      }
      if (setting === null) return
      const [, name = '', value = ''] = /^(\w+)=(.+)$/.exec(setting) ?? []
      const opened = name.endsWith('HOSTS') ? { openHosts: [value] } : { openRanges: [parseRange(value)] }
      await expect(checkWebhookUrl({ ...policy, ...opened }, url)).resolves.toMatch(/^http:/)
    },
  )
})
