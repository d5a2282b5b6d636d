import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { startGudDesk } from '../../support/guddesk.ts'

/** Sends one request and keeps the connection. */
async function ask(origin: string) {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1')
  socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
  const [answer] = await once(socket, 'data')
  return { socket, answer: String(answer), since: performance.now() }
}

test('an idle connection is said to stay open for 75 seconds, longer than balancers keep theirs', async () => {
  const guddesk = await startGudDesk()
  const { socket, answer } = await ask(guddesk.origin)
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(answer).toContain('\r\nKeep-Alive: timeout=75\r\n')
  socket.destroy()
  await guddesk.stop()
})

test('it stays open for KEEP_ALIVE_SECONDS, and is then closed', async () => {
  const guddesk = await startGudDesk({ env: { KEEP_ALIVE_SECONDS: '2' } })
  const { socket, answer, since } = await ask(guddesk.origin)
  expect(answer).toContain('\r\nKeep-Alive: timeout=2\r\n')
  socket.resume()
  await once(socket, 'close')
  expect(performance.now() - since).toBeGreaterThan(1900)
  await guddesk.stop()
})
