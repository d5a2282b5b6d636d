import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { signBody, signingKeys, signStandard } from '../../../src/dispatch/send/signature.ts'

const SECRET = randomBytes(32).toString('hex')
const PREVIOUS = randomBytes(32).toString('hex')
const hmac = (key: Buffer, text: string, encoding: 'hex' | 'base64') =>
  createHmac('sha256', key).update(Buffer.from(text, 'utf8')).digest(encoding)
const signers = (previous: string | null = null) => ({
  current: signingKeys(SECRET),
  previous: previous === null ? null : signingKeys(previous),
})

describe('X-GudDesk-Signature', () => {
  /** https://www.rfc-editor.org/rfc/rfc4231, section 4, those whose data are text. */
  test.each([
    ['0b'.repeat(20), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
    ['4a656665', 'what do ya want for nothing?', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
    [
      'aa'.repeat(131),
      'Test Using Larger Than Block-Size Key - Hash Key First',
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    ],
  ])('is what RFC 4231 says, with the key %s', (key, text, digest) => {
    const keyObject = createSecretKey(Buffer.from(key, 'hex'))
    const rfc = { current: { text: keyObject, standard: keyObject }, previous: null }
    expect(signBody(rfc, text)).toBe(`sha256=${digest}`)
  })

  test.each([
    ['nothing', ''],
    ['letters outside of ASCII', 'Grüße, 你好, 👋🏽'],
    ['half a pair of surrogates', 'broken \ud83d here'],
    ['U+0000', 'a\u0000b'],
    ['a megabyte', 'é'.repeat(500_000)],
  ])('is of the UTF-8 bytes of %s, keyed by the text of the secret', (_, body) => {
    expect(signBody(signers(), body)).toBe(`sha256=${hmac(Buffer.from(SECRET, 'utf8'), body, 'hex')}`)
  })

  test('keeps to the previous secret while one is being rotated', () => {
    expect(signBody(signers(PREVIOUS), '{}')).toBe(`sha256=${hmac(Buffer.from(PREVIOUS, 'utf8'), '{}', 'hex')}`)
  })
})

describe('webhook-signature', () => {
  const standard = (secret: string, text: string) => `v1,${hmac(Buffer.from(secret, 'base64'), text, 'base64')}`

  test.each(['', '{"a":1}', 'Grüße, 你好, 👋🏽'])('is of id, timestamp and the body %j', (body) => {
    expect(signStandard(signers(), 'dlv_1', 1768473000, body)).toBe(standard(SECRET, `dlv_1.1768473000.${body}`))
  })

  test('has one for each secret while one is being rotated, the previous first', () => {
    const signed = signStandard(signers(PREVIOUS), 'dlv_1', 1, '{}')
    expect(signed).toBe(`${standard(PREVIOUS, 'dlv_1.1.{}')} ${standard(SECRET, 'dlv_1.1.{}')}`)
  })
})
