import { createHmac, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { hmac, hmacKey } from '../../../src/dispatch/send/hmac.ts'

/** What Node itself makes of it. */
const nodes = (key: Buffer, text: string, encoding: 'hex' | 'base64') =>
  createHmac('sha256', key).update(text).digest(encoding)

describe('HMAC-SHA256', () => {
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
    expect(hmac(hmacKey(Buffer.from(key, 'hex')), text, 'hex')).toBe(digest)
  })

  test('is what Node makes of keys of any length, one after the other and in turns', () => {
    const keys = [0, 1, 31, 32, 48, 63, 64, 65, 200].map((length) => randomBytes(length))
    const ready = keys.map(hmacKey)
    for (const text of ['', 'a', randomBytes(500).toString('hex')]) {
      for (const [i, key] of keys.entries()) {
        const { [i]: one } = ready
        if (one === undefined) throw new Error('there is a key for each')
        expect(hmac(one, text, 'hex')).toBe(nodes(key, text, 'hex'))
        expect(hmac(one, text, 'base64')).toBe(nodes(key, text, 'base64'))
      }
    }
  })

  test.each([
    ['letters outside of ASCII', 'Grüße, 你好, 👋🏽'],
    ['half a pair of surrogates', 'broken \ud83d here'],
    ['U+0000', 'a\u0000b'],
    ['as much as fits the scratch', 'x'.repeat(21_845)],
    ['a byte more', 'x'.repeat(21_846)],
    ['three bytes a letter', '你'.repeat(21_846)],
    ['a megabyte', 'é'.repeat(500_000)],
  ])('is what Node makes of %s', (_, text) => {
    const key = randomBytes(32)
    expect(hmac(hmacKey(key), text, 'hex')).toBe(nodes(key, text, 'hex'))
  })
})
