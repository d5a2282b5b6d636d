import { expect, test } from 'vitest'
import { createSigner, MAX_AGE_MS } from '../../../src/infra/redis/signed-messages.ts'

const NOW = new Date('2027-03-01T12:00:00Z')
const after = (ms: number) => new Date(NOW.getTime() + ms)
const signer = createSigner('key', null)
const signed = signer.sign('channel', 'Hello. And bye', NOW)

test.each(['', 'Hello', 'a.b\n.c', '{"a":"ä"}'])('opens what it signed: %j', (message) => {
  expect(signer.open('channel', signer.sign('channel', message, NOW), NOW)).toEqual({ message })
})

test.each([-MAX_AGE_MS, 0, MAX_AGE_MS])('clocks may differ by %i ms', (ms) => {
  expect(signer.open('channel', signed, after(ms))).toEqual({ message: 'Hello. And bye' })
})

test.each([-MAX_AGE_MS - 1, MAX_AGE_MS + 1, 86_400_000])('at %i ms it is refused', (ms) => {
  expect(signer.open('channel', signed, after(ms))).toEqual({ refused: expect.stringContaining('old') })
})

test.each([
  ['nothing', ''],
  ['a bare message', 'Hello'],
  ['a message without a MAC', signed.slice(signed.indexOf('.'))],
  ['a MAC alone', signed.slice(0, 43)],
  ['a message without a time', signed.replace(/\.\d+\./, '..')],
  ['a time that is none', signed.replace(/\.\d+\./, '.never.')],
  ['a MAC with characters of other lengths', `ä${signed.slice(1)}`],
  ['a message of a megabyte', signer.sign('channel', 'x'.repeat(1_000_000), NOW)],
])('%s is not signed', (_, text) => {
  expect(signer.open('channel', text, NOW)).toEqual({ refused: 'it is not signed' })
})

test.each([
  ['another message', signed.replace('bye', 'buy'), 'channel'],
  ['another time', signed.replace(/\.\d+\./, `.${NOW.getTime() + 1}.`), 'channel'],
  ['another channel', signed, 'channel2'],
  ['another key', createSigner('another', null).sign('channel', 'Hello', NOW), 'channel'],
  ['the bytes moved from the channel to the message', signed, ''],
])('%s is refused', (_, text, channel) => {
  expect(signer.open(channel, text, NOW)).toEqual({ refused: expect.stringContaining('ENCRYPTION_KEY') })
})

test('while a key takes the place of another, both open and the present one signs', () => {
  const during = createSigner('new', 'key')
  expect(during.open('channel', signed, NOW)).toEqual({ message: 'Hello. And bye' })
  const made = during.sign('channel', 'Hello', NOW)
  expect(createSigner('new', null).open('channel', made, NOW)).toEqual({ message: 'Hello' })
  expect(signer.open('channel', made, NOW)).toHaveProperty('refused')
})
