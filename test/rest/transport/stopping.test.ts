import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { startGudDesk } from '../../support/guddesk.ts'

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'

test.each([
  ['something that is not HTTP', 'hello there\r\n\r\n'],
  ['a WebSocket where there is none', `GET /nothing HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n`],
])('a client that was refused %s and never hangs up does not keep GudDesk from stopping', async (_, bytes) => {
  const guddesk = await startGudDesk()
  const socket = connect({ port: Number(new URL(guddesk.origin).port), host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => undefined)
  socket.write(bytes)
  const [answer] = await once(socket, 'data')
  expect(String(answer)).toMatch(/^HTTP\/1\.1 4\d\d /)
  const stopped = guddesk.stop().then(() => 'stopped')
  const outcome = await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, 10_000, 'hangs'))])
  socket.destroy()
  await stopped
  expect(outcome).toBe('stopped')
})
