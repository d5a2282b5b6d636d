import { expect, test } from 'vitest'
import { clientAddress } from '../../../src/infra/net/client-address.ts'

test.each([
  // socket, X-Forwarded-For, TRUST_PROXY, address
  ['203.0.113.7', undefined, 0, '203.0.113.7'],
  ['::ffff:203.0.113.7', undefined, 0, '203.0.113.7'],
  ['2001:DB8:0::1', undefined, 0, '2001:db8::1'],
  ['fe80::1%eth0', undefined, 0, 'fe80::1'],
  [undefined, undefined, 0, null],
  // Nobody is trusted: the header is anybody's to send.
  ['203.0.113.7', '198.51.100.1', 0, '203.0.113.7'],
  ['10.0.0.1', '198.51.100.1', 1, '198.51.100.1'],
  ['10.0.0.1', ' 198.51.100.1 ', 1, '198.51.100.1'],
  // What the client wrote itself stands further left.
  ['10.0.0.1', '1.1.1.1, 198.51.100.1', 1, '198.51.100.1'],
  ['10.0.0.1', '1.1.1.1, 198.51.100.1, 10.0.0.2', 2, '198.51.100.1'],
  // Fewer proxies than told: the furthest that is known.
  ['10.0.0.1', '198.51.100.1', 3, '198.51.100.1'],
  ['10.0.0.1', undefined, 1, '10.0.0.1'],
  ['10.0.0.1', 'unknown', 1, '10.0.0.1'],
  ['10.0.0.1', '<script>', 1, '10.0.0.1'],
] as const)('socket %s, X-Forwarded-For %s, %i proxies: %s', (socket, forwardedFor, trustProxy, address) => {
  expect(clientAddress(socket, forwardedFor, trustProxy)).toBe(address)
})
