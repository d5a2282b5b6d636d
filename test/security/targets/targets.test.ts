import { describe, expect, test } from 'vitest'
import { createHttpClient } from '../../../src/dispatch/send/http-client.ts'
import { checkWebhookUrl } from '../../../src/domain/webhooks/webhook-url.ts'
import { parseRange } from '../../../src/infra/net/addresses.ts'
import type { TargetPolicy } from '../../../src/infra/net/target-policy.ts'
import { startReceiver } from '../../support/receiver.ts'

/** The public DNS at its worst: whatever the guard takes for a name leads to a good address. */
const resolve = async () => ['93.184.216.34']
const PRODUCTION: TargetPolicy = { requireHttps: true, allowLoopback: false, ownHost: 'desk.example.com', resolve }

/** [URL, what the message says] */
const REFUSED: [url: string, reason: RegExp][] = [
  // Loopback, in every spelling of IPv4
  ['https://127.0.0.1/', /loopback/],
  ['https://127.0.0.1:8443/hook', /loopback/],
  ['https://127.255.255.254/', /loopback/],
  ['https://127.1/', /loopback/],
  ['https://127.0.1/', /loopback/],
  ['https://2130706433/', /loopback/],
  ['https://0x7f000001/', /loopback/],
  ['https://0X7F000001/', /loopback/],
  ['https://0x7f.0x0.0x0.0x1/', /loopback/],
  ['https://0x7f.1/', /loopback/],
  ['https://0177.0.0.1/', /loopback/],
  ['https://0177.0.0.01/', /loopback/],
  ['https://017700000001/', /loopback/],
  ['https://00000000177.0.0.1/', /loopback/],
  ['https://0x7f.0.0.01/', /loopback/],
  ['https://127.0.0.1./', /loopback/],
  ['https://2130706433./', /loopback/],
  ['https://１２７.０.０.１/', /loopback/],
  ['https://①②⑦.⓪.⓪.①/', /loopback/],
  ['https://127。0。0。1/', /loopback/],
  ['https://127．0．0．1/', /loopback/],
  ['https://127｡0｡0｡1/', /loopback/],
  ['https://𝟏𝟐𝟕.𝟎.𝟎.𝟏/', /loopback/],
  ['https://⑴27.0.0.1/', /absolute|valid|private/],
  ['https://%31%32%37.0.0.1/', /loopback/],
  ['https://127%2e0%2e0%2e1/', /loopback/],
  ['https://%30x7f.1/', /loopback/],
  ['https://1\t27.0.0.1/', /loopback/],
  ['https://127.0.0.1\\@example.com/', /loopback/],
  ['https:\\\\127.0.0.1/', /loopback/],
  ['https:127.0.0.1/', /loopback/],
  ['https:///127.0.0.1/', /loopback/],
  ['https://127.0.0.1#@example.com/', /loopback/],
  ['https://127.0.0.1?@example.com/', /loopback/],
  ['https://127.0.0.1../', /valid name/],
  // "This network"
  ['https://0/', /reserved/],
  ['https://0.0.0.0/', /reserved/],
  ['https://0x0/', /reserved/],
  ['https://0.1.2.3/', /reserved/],
  ['https://00/', /reserved/],
  // Private
  ['https://10.0.0.1/', /private/],
  ['https://10.255.255.255/', /private/],
  ['https://10.1/', /private/],
  ['https://012.0.0.1/', /private/],
  ['https://0xa000001/', /private/],
  ['https://167772161/', /private/],
  ['https://172.16.0.1/', /private/],
  ['https://172.31.255.255/', /private/],
  ['https://0xac.16.0.1/', /private/],
  ['https://192.168.0.1/', /private/],
  ['https://192.168.255.255/', /private/],
  ['https://3232235777/', /private/],
  ['https://0300.0250.1.1/', /private/],
  ['https://192.168.257/', /private/],
  ['https://100.64.0.1/', /private/],
  ['https://100.127.255.255/', /private/],
  // Link-local and metadata
  ['https://169.254.0.1/', /link-local/],
  ['https://169.254.170.2/v2/credentials', /link-local/],
  ['https://169.254.169.254/latest/meta-data/', /metadata/],
  ['https://2852039166/', /metadata/],
  ['https://0xa9fea9fe/', /metadata/],
  ['https://0251.0376.0251.0376/', /metadata/],
  ['https://169.254.43518/', /metadata/],
  ['https://①⑥⑨.②⑤④.①⑥⑨.②⑤④/', /metadata/],
  ['https://168.63.129.16/', /metadata/],
  ['https://0xa83f8110/', /metadata/],
  ['https://100.100.100.200/', /metadata/],
  ['https://192.0.0.192/', /reserved/],
  ['https://[fd00:ec2::254]/', /metadata/],
  ['https://[fd20:ce::254]/', /metadata/],
  ['https://metadata/', /private name/],
  ['https://metadata.google.internal/', /private name/],
  ['https://instance-data.ec2.internal/', /private name/],
  // Other special purposes
  ['https://192.0.0.1/', /reserved/],
  ['https://192.0.0.8/', /reserved/],
  ['https://192.0.0.170/', /reserved/],
  ['https://192.0.2.1/', /reserved/],
  ['https://192.31.196.1/', /reserved/],
  ['https://192.52.193.1/', /reserved/],
  ['https://192.88.99.1/', /reserved/],
  ['https://192.175.48.1/', /reserved/],
  ['https://198.18.0.1/', /reserved/],
  ['https://198.19.255.255/', /reserved/],
  ['https://198.51.100.1/', /reserved/],
  ['https://203.0.113.1/', /reserved/],
  ['https://224.0.0.1/', /multicast/],
  ['https://239.255.255.255/', /multicast/],
  ['https://240.0.0.1/', /reserved/],
  ['https://255.255.255.255/', /reserved/],
  ['https://4294967295/', /reserved/],
  // IPv6
  ['https://[::]/', /reserved/],
  ['https://[0:0:0:0:0:0:0:0]/', /reserved/],
  ['https://[::1]/', /loopback/],
  ['https://[0000:0000:0000:0000:0000:0000:0000:0001]/', /loopback/],
  ['https://[::0.0.0.1]/', /loopback/],
  ['https://[::2]/', /reserved/],
  ['https://[fc00::1]/', /private/],
  ['https://[fd12:3456:789a::1]/', /private/],
  ['https://[fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]/', /private/],
  ['https://[fe80::1]/', /link-local/],
  ['https://[febf::1]/', /link-local/],
  ['https://[fec0::1]/', /private/],
  ['https://[feff::1]/', /private/],
  ['https://[ff02::1]/', /multicast/],
  ['https://[ff0e::1]/', /multicast/],
  ['https://[2001:db8::1]/', /reserved/],
  ['https://[3fff::1]/', /reserved/],
  ['https://[3fff:fff::1]/', /reserved/],
  ['https://[100::1]/', /reserved/],
  ['https://[100:0:0:1::1]/', /reserved/],
  ['https://[5f00::1]/', /reserved/],
  ['https://[3ffe::1]/', /reserved/],
  ['https://[2620:4f:8000::1]/', /reserved/],
  ['https://[2001:1::1]/', /reserved/],
  ['https://[2001:2::1]/', /reserved/],
  ['https://[2001:3::1]/', /reserved/],
  ['https://[2001:4:112::1]/', /reserved/],
  ['https://[2001:10::1]/', /reserved/],
  ['https://[2001:20::1]/', /reserved/],
  ['https://[2001:30::1]/', /reserved/],
  ['https://[4000::1]/', /reserved/],
  ['https://[8000::1]/', /reserved/],
  // IPv4 within IPv6
  ['https://[::ffff:127.0.0.1]/', /loopback/],
  ['https://[::ffff:7f00:1]/', /loopback/],
  ['https://[0:0:0:0:0:ffff:7f00:0001]/', /loopback/],
  ['https://[::ffff:10.0.0.1]/', /private/],
  ['https://[::ffff:169.254.169.254]/', /metadata/],
  ['https://[::ffff:a9fe:a9fe]/', /metadata/],
  ['https://[::ffff:0.0.0.0]/', /reserved/],
  ['https://[::127.0.0.1]/', /reserved/],
  ['https://[::7f00:1]/', /reserved/],
  ['https://[::a00:1]/', /reserved/],
  ['https://[::ffff:0:127.0.0.1]/', /reserved/],
  ['https://[::ffff:0:a00:1]/', /reserved/],
  ['https://[64:ff9b::127.0.0.1]/', /reserved/],
  ['https://[64:ff9b::a9fe:a9fe]/', /reserved/],
  ['https://[64:ff9b:1::10.0.0.1]/', /reserved/],
  ['https://[64:ff9b:1:fffe::a00:1]/', /reserved/],
  ['https://[2002:7f00:1::]/', /reserved/],
  ['https://[2002:a00:1::1]/', /reserved/],
  ['https://[2002:c0a8:101::1]/', /reserved/],
  ['https://[2001::1]/', /reserved/],
  ['https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/', /reserved/],
  ['https://[2001:0:a00:1::]/', /reserved/],
  ['https://[fe80::5efe:10.0.0.1]/', /link-local/],
  ['https://[2606:4700::5efe:a00:1]/', /reserved/],
  ['https://[2606:4700:1:2:0:5efe:10.0.0.1]/', /reserved/],
  ['https://[2606:4700:1:2:200:5efe:7f00:1]/', /reserved/],
  ['https://[fe80::1%25eth0]/', /absolute/],
  ['https://[::1]:8443/', /loopback/],
  // Names
  ['https://localhost/', /loopback/],
  ['https://LOCALHOST/', /loopback/],
  ['https://localhost./', /loopback/],
  ['https://ｌｏｃａｌｈｏｓｔ/', /loopback/],
  ['https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/', /loopback/],
  ['https://loc%61lhost/', /loopback/],
  ['https://loc\u00adalhost/', /loopback/],
  ['https://agent.localhost/', /loopback/],
  ['https://a.b.LocalHost:8443/', /loopback/],
  ['https://localhost.localdomain/', /private name/],
  ['https://printer.local/', /private name/],
  ['https://db.internal/', /private name/],
  ['https://DB.INTERNAL./', /private name/],
  ['https://kubernetes.default.svc.cluster.local/', /private name/],
  ['https://nas.home.arpa/', /private name/],
  ['https://router.lan/', /private name/],
  ['https://intranet/', /private name/],
  ['https://redis/', /private name/],
  ['https://redis./', /private name/],
  ['https://host.docker.internal/', /private name/],
  ['https://a..example.com/', /valid name/],
  ['https://.example.com/', /valid name/],
  [`https://${'a'.repeat(64)}.example.com/`, /valid name/],
  ['https://desk.example.com/hook', /deployment itself/],
  ['https://DESK.example.com./', /deployment itself/],
  ['https://desk.example.com:8443/', /deployment itself/],
  // Credentials, schemes, ports
  ['https://user:pass@example.com/', /credentials/],
  ['https://user@example.com/', /credentials/],
  ['https://:pass@example.com/', /credentials/],
  ['https://example.com@127.0.0.1/', /credentials/],
  ['https://127.0.0.1%40@example.com/', /credentials/],
  ['http://example.com/', /https:/],
  ['http://93.184.216.34/', /https:/],
  ['ftp://example.com/', /https:/],
  ['gopher://example.com:6379/_FLUSHALL', /https:/],
  ['file:///etc/passwd', /https:/],
  ['dict://example.com:11211/', /https:/],
  ['ws://example.com/', /https:/],
  ['unix:///var/run/docker.sock', /https:/],
  ['data:text/plain,x', /https:/],
  ['//example.com/', /absolute/],
  ['https://', /absolute/],
  ['https://example.com:99999/', /absolute/],
  ...[22, 23, 25, 53, 111, 139, 389, 445, 465, 587, 636, 1433, 1521, 2049, 2181, 2375, 2379].map(internalPort),
  ...[3306, 3389, 5432, 5672, 5900, 5984, 6379, 6443, 8500, 9042, 9092, 9200, 9300, 10250, 11211, 27017].map(
    internalPort,
  ),
]

function internalPort(port: number): [string, RegExp] {
  return [`https://example.com:${port}/`, new RegExp(`port ${port} belongs to an internal service`)]
}

const GOOD = [
  'https://example.com/hook',
  'https://example.com:8443/hook?a=1',
  'https://your-agent.com/webhook',
  'https://hooks.example.co.uk:8080/',
  'https://agent.example.dev:3001/',
  'https://xn--bcher-kva.example/',
  'https://local.example.com/',
  'https://internal.example.com/',
  'https://localhost.example.com/',
  'https://notlocalhost.com/x',
  'https://a_b.example.com/',
  'https://1.1.1.1.example.com/',
  'https://abcd.ngrok-free.app/webhook',
  'https://desk.example.com.evil.org/',
  'https://8.8.8.8/',
  'https://1.1.1.1:8443/',
  'https://9.255.255.255/',
  'https://11.0.0.0/',
  'https://100.63.255.255/',
  'https://100.128.0.0/',
  'https://126.255.255.255/',
  'https://128.0.0.1/',
  'https://168.63.129.15/',
  'https://169.253.255.255/',
  'https://169.255.0.1/',
  'https://172.15.255.255/',
  'https://172.32.0.1/',
  'https://192.0.1.1/',
  'https://192.167.255.255/',
  'https://192.169.0.1/',
  'https://198.17.255.255/',
  'https://198.20.0.1/',
  'https://223.255.255.255/',
  'https://[2606:4700:4700::1111]/',
  'https://[2001:4860:4860::8888]/',
  'https://[2a00:1450:4001:81b::200e]:8443/',
  'https://[2400:cb00:2048:1::c629:d7a2]/',
]

describe('in production', () => {
  test('the table is large enough to mean something', () => {
    expect(REFUSED.length + GOOD.length + ANSWERS.length).toBeGreaterThanOrEqual(150)
    expect(new Set(REFUSED.map(([url]) => url)).size).toBe(REFUSED.length)
  })

  test.each(REFUSED)('%s is refused when it is saved, and says why', async (url, reason) => {
    await expect(checkWebhookUrl(PRODUCTION, url, 'url')).rejects.toMatchObject({
      code: 'bad_request',
      fields: [{ path: 'url', message: expect.stringMatching(reason) }],
    })
  })

  test('and when it is sent to, should it have got into the table some other way', async () => {
    const sender = createHttpClient(PRODUCTION)
    for (const [url] of REFUSED.filter(([url]) => URL.canParse(url))) {
      expect([url, (await sender.post(url, {}, '{}')).kind]).toEqual([url, 'refused'])
    }
    sender.close()
  })

  test.each(GOOD)('%s is fine', async (url) => {
    expect(await checkWebhookUrl(PRODUCTION, url)).toBe(url)
  })
})

/** What a name server may answer, and whether a webhook may go there. */
const ANSWERS: [addresses: string[], isFine: boolean][] = [
  [['93.184.216.34'], true],
  [['93.184.216.34', '93.184.216.35', '2606:2800:220:1::1'], true],
  [['2606:4700:4700::1111'], true],
  [['::ffff:93.184.216.34'], true],
  [['127.0.0.1'], false],
  [['93.184.216.34', '127.0.0.1'], false],
  [['93.184.216.34', '::1'], false],
  [['2606:4700:4700::1111', '10.0.0.1'], false],
  [['93.184.216.34', '93.184.216.35', '93.184.216.36', '93.184.216.37', '93.184.216.38', '192.168.0.1'], false],
  [['169.254.169.254'], false],
  [['::ffff:169.254.169.254'], false],
  [['fd00:ec2::254'], false],
  [['fe80::1'], false],
  [['0.0.0.0'], false],
  [['::'], false],
  [['64:ff9b::a00:1'], false],
  [['2002:a00:1::1'], false],
  [['100.100.100.200'], false],
  [['168.63.129.16'], false],
  [['255.255.255.255'], false],
  [['not an address'], false],
]

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
