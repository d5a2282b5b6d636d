import { expect, test } from 'vitest'
import { fetchPicture } from '../../../src/dispatch/pictures/fetch-picture.ts'
import { RefusedTarget } from '../../../src/dispatch/send/ssrf-guard.ts'
import type { TargetPolicy } from '../../../src/infra/net/target-policy.ts'
import { PNG, sends, startPictureHost } from '../../support/peers/picture-host.ts'

const PRODUCTION: TargetPolicy = { requireHttps: true, allowLoopback: false, ownHost: 'desk.example.com' }
const running = new AbortController().signal

test.each([
  'http://example.com/a.png',
  'https://127.0.0.1/a.png',
  'https://10.0.0.1/a.png',
  'https://[::1]/a.png',
  'https://169.254.169.254/latest/meta-data/',
  'https://localhost/a.png',
  'https://desk.example.com/a.png',
  'https://example.com:6379/a.png',
  'https://ann:secret@example.com/a.png',
])('production fetches no picture from %s', async (url) => {
  await expect(fetchPicture(url, PRODUCTION, running)).rejects.toThrow(RefusedTarget)
})

test('a name that leads to a private address is refused before a byte is written', async () => {
  const host = await startPictureHost()
  const url = host.serve('/a.png', sends(PNG)).replace('127.0.0.1', 'pictures.example.com')
  const policy: TargetPolicy = { requireHttps: false, allowLoopback: false, resolve: async () => ['127.0.0.1'] }
  const cause = await fetchPicture(url, policy, running).then(
    () => null,
    (error: unknown) => error,
  )
  expect(cause).toBeInstanceOf(RefusedTarget)
  expect(host.asked).toEqual([])
  await host.close()
})

test('what a name leads to is refused with what the operator can set, in development alone', async () => {
  const url = 'https://pictures.example.com/a.png'
  const reason = (policy: TargetPolicy) =>
    fetchPicture(url, { ...policy, resolve: async () => ['10.0.0.1'] }, running).catch((error: Error) => error.message)
  expect(await reason({ requireHttps: false, allowLoopback: true })).toContain(
    'set WEBHOOK_ALLOWED_HOSTS=pictures.example.com',
  )
  expect(await reason(PRODUCTION)).not.toContain('WEBHOOK_ALLOWED')
})

test('stopping ends what is being fetched', async () => {
  const host = await startPictureHost()
  const url = host.serve('/slow.png', (response) => response.writeHead(200).write(PNG))
  const stopping = new AbortController()
  const fetched = fetchPicture(url, { requireHttps: false, allowLoopback: true }, stopping.signal)
  const refused = expect(fetched).rejects.toThrow(/abort/i)
  stopping.abort()
  await refused
  await host.close()
})
