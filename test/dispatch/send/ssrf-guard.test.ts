import { describe, expect, test } from 'vitest'
import { createHttpClient } from '../../../src/dispatch/send/http-client.ts'
import { refuseAddress } from '../../../src/infra/net/target-policy.ts'
import { startReceiver } from '../../support/receiver.ts'

const production = { requireHttps: true, allowLoopback: false }
const development = { requireHttps: false, allowLoopback: true }

describe('addresses', () => {
  test.each([
    '127.0.0.1',
    '127.255.255.254',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.100.100.200',
    '168.63.129.16',
    '0.0.0.0',
    '192.0.2.1',
    '198.51.100.7',
    '203.0.113.9',
    '198.18.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fc00::1',
    'fd12:3456::1',
    'ff02::1',
    '2001:db8::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8'.replace('8.8.8.8', '10.0.0.1'),
    '::127.0.0.1',
    '::ffff:0:127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::1',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2',
    'fe80::1%eth0',
    'nonsense',
  ])('%s is refused in production', (address) => {
    expect(refuseAddress(address, production)).not.toBeNull()
  })

  test.each(['8.8.8.8', '1.1.1.1', '93.184.216.34', '2606:4700:4700::1111', '::ffff:8.8.8.8'])(
    '%s is let through',
    (address) => {
      expect(refuseAddress(address, production)).toBeNull()
    },
  )

  test('development opens loopback, and nothing else', () => {
    expect(refuseAddress('127.0.0.1', development)).toBeNull()
    expect(refuseAddress('::1', development)).toBeNull()
    expect(refuseAddress('10.0.0.1', development)).not.toBeNull()
    expect(refuseAddress('169.254.169.254', development)).not.toBeNull()
  })
})

describe('sending in production', () => {
  test.each([
    ['http://93.184.216.34/', 'The URL must start with https://'],
    ['https://127.0.0.1/', 'The URL is refused: it is a loopback address'],
    ['https://0x7f.1/', 'The URL is refused: it is a loopback address'],
    ['https://[::1]/', 'The URL is refused: it is a loopback address'],
    ['https://10.1.2.3/', 'The URL is refused: it is a private address'],
    ['https://localhost/', 'The URL is refused: its host means this machine (loopback)'],
  ])('%s is refused before a byte is sent', async (url, error) => {
    const sender = createHttpClient(production)
    expect(await sender.post(url, {}, '{}')).toEqual({ kind: 'refused', error })
    sender.close()
  })

  test('a name that resolves to loopback never reaches the receiver there', async () => {
    const receiver = await startReceiver()
    const sender = createHttpClient({ requireHttps: false, allowLoopback: false })
    const exchange = await sender.post(`http://localhost:${receiver.port}/`, {}, '{}')
    expect(exchange.kind).toBe('refused')
    expect(receiver.received).toHaveLength(0)
    sender.close()
    await receiver.close()
  })
})
