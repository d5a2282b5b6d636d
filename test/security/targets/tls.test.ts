import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHttpClient } from '../../../src/dispatch/send/http-client.ts'

const file = (name: string) => readFileSync(new URL(`../../support/peers/tls/${name}`, import.meta.url))
const POLICY = { requireHttps: true, allowLoopback: true }

/** Signed by itself: nobody vouches for it. */
const server = createServer({ key: file('key.pem'), cert: file('cert.pem') })
const received: string[] = []
let url: string

beforeAll(async () => {
  server.on('request', (request, response) => {
    received.push(request.url ?? '')
    response.end('ok')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `https://localhost:${(server.address() as AddressInfo).port}/`
})

afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

test.each([undefined, '0'])(
  'a certificate that nobody vouches for is refused; NODE_TLS_REJECT_UNAUTHORIZED=%s',
  async (off) => {
    if (off !== undefined) process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = off
    const sender = createHttpClient(POLICY)
    try {
      const exchange = await sender.post(url, {}, '{}')
      expect(exchange).toEqual({ kind: 'failed', error: expect.stringMatching(/^TLS: .*self.signed/) })
      expect(received).toEqual([])
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      sender.close()
    }
  },
)
