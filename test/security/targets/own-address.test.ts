import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ownAddress } from '../../../dashboard/src/session/ownAddress.ts'

const ORIGIN = 'https://desk.example.com'
const START = `${ORIGIN}/`

test.each([
  '//evil.example',
  '/.//evil.example',
  '/..//evil.example/x',
  '/x/..//evil.example',
  '/%2e//evil.example',
  '/%2E%2e//evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/.\\/evil.example',
  '/./\\evil.example',
  '/\t/evil.example',
  '/.\n//evil.example',
  '\u0000//evil.example',
  ' //evil.example',
  'https://evil.example',
  'https:evil.example//x',
  'https:///evil.example',
  'https://desk.example.com@evil.example/',
  'https://desk.example.com.evil.example/',
  'http://desk.example.com/',
  'javascript:alert(1)',
  'data:text/html,x',
  'blob:https://desk.example.com/x',
  'https://desk.example.com//evil.example',
  '//desk.example.com/.//evil.example',
  'https://[',
])('%j leads nowhere but to the start', (next) => {
  const address = ownAddress(next, ORIGIN)
  // Read as a relative address of this site it stays on this site, whatever it is.
  expect(new URL(address).origin).toBe(ORIGIN)
  expect(new URL(new URL(address).pathname, ORIGIN).origin).toBe(ORIGIN)
})

test.each([
  ['/w/acme/inbox/open?q=a%20b', `${ORIGIN}/w/acme/inbox/open?q=a%20b`],
  ['/invitations/x', `${ORIGIN}/invitations/x`],
  ['w/acme', `${ORIGIN}/w/acme`],
  ['https://desk.example.com/w/acme#x', `${ORIGIN}/w/acme`],
  ['https://ann:secret@desk.example.com/w', `${ORIGIN}/w`],
  ['', START],
  [null, START],
  ['/', START],
])('%j leads to %s', (next, address) => {
  expect(ownAddress(next, ORIGIN)).toBe(address)
})

test('no text of these characters leads elsewhere', () => {
  const pieces = [
    '/',
    '\\',
    '.',
    '%2e',
    '%2f',
    '%5c',
    '\t',
    '\n',
    '\0',
    ' ',
    '@',
    ':',
    '?',
    '#',
    'https:',
    'evil.example',
  ]
  const texts = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(texts, (next) => {
      const { origin, pathname } = new URL(ownAddress(next, ORIGIN))
      return origin === ORIGIN && new URL(pathname, ORIGIN).origin === ORIGIN
    }),
    { numRuns: 5000, seed: 11 },
  )
})
