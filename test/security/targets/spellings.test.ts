import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkWebhookUrl } from '../../../src/domain/webhooks/webhook-url.ts'
import { refuseAddress, type TargetPolicy } from '../../../src/infra/net/target-policy.ts'

/** Whatever the guard takes for a name leads to a good address: a spelling that is not recognised gets through here. */
const POLICY: TargetPolicy = { requireHttps: true, allowLoopback: false, resolve: async () => ['93.184.216.34'] }

/** The IANA registries again, written down independently of the code: [first address, prefix length]. */
const SPECIAL_V4: [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['168.63.129.16', 32],
]
/** Leading groups of 16 bits; the rest is random. */
const SPECIAL_V6: number[][] = [
  [0, 0, 0, 0, 0, 0, 0, 1],
  [0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0xffff, 0],
  [0x64, 0xff9b, 0, 0, 0, 0],
  [0x64, 0xff9b, 1],
  [0x100, 0, 0, 0],
  [0x2001, 0],
  [0x2001, 2, 0],
  [0x2001, 0x10],
  [0x2001, 0x20],
  [0x2001, 0xdb8],
  [0x2002],
  [0x3fff, 0x0123],
  [0x5f00],
  [0xfc00],
  [0xfd12],
  [0xfe80],
  [0xfec0],
  [0xff02],
  [0x2606, 0x4700, 1, 2, 0, 0x5efe],
  [0x2606, 0x4700, 1, 2, 0x200, 0x5efe],
]

const toNumber = (dotted: string) => dotted.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
const octets = (n: number): [number, number, number, number] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]
const dotted = (n: number) => octets(n).join('.')
const hex = (n: number) => n.toString(16)

const specialV4 = fc
  .tuple(fc.constantFrom(...SPECIAL_V4), fc.nat(0xffffffff))
  .map(([[base, bits], random]) => (toNumber(base) + (bits === 32 ? 0 : random % 2 ** (32 - bits))) >>> 0)

const randomV4 = fc.nat(0xffffffff)
const isSpecial = (n: number) =>
  SPECIAL_V4.some(([base, bits]) => Math.floor(n / 2 ** (32 - bits)) === Math.floor(toNumber(base) / 2 ** (32 - bits)))

/** One number in base 10, 8 or 16, as the URL standard reads it. */
const inBase = (n: number) =>
  fc.tuple(fc.constantFrom(10, 8, 16), fc.boolean(), fc.nat(4)).map(([base, upper, zeros]) => {
    if (base === 10) return String(n)
    const digits = '0'.repeat(zeros) + n.toString(base)
    const text = base === 8 ? `0${digits}` : `0x${digits}`
    return upper ? text.toUpperCase() : text
  })

const CIRCLED = ['⓪', '①', '②', '③', '④', '⑤', '⑥', '⑦', '⑧', '⑨']
const disguises: ((text: string) => string)[] = [
  (text) => text,
  (text) => text.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
  (text) => text.replace(/\d/g, (digit) => CIRCLED[Number(digit)] ?? digit),
  (text) => text.replace(/\d/g, (digit) => String.fromCodePoint(0x1d7d8 + Number(digit))),
  (text) => text.replace(/./g, (char) => `%${hex(char.charCodeAt(0)).padStart(2, '0')}`),
  (text) => text.replaceAll('.', '。'),
  (text) => text.replaceAll('.', '．'),
  (text) => text.replaceAll('.', '%2E'),
  (text) => `${text}.`,
  (text) => `\u00ad${text}`,
]

/** Every way to write an IPv4 address into a URL. */
const spelledV4 = (n: number) => {
  const [a, b, c, d] = octets(n)
  const shapes = [[a, b, c, d], [a, b, c * 256 + d], [a, b * 65_536 + c * 256 + d], [n]]
  return fc
    .constantFrom(...shapes)
    .chain((parts) => fc.tuple(...parts.map(inBase)))
    .chain((parts) => fc.constantFrom(...disguises).map((disguise) => disguise(parts.join('.'))))
}

/** Every IPv6 form that carries an IPv4 address. */
const embedded = (n: number): string[] => {
  const [a, b, c, d] = octets(n)
  const [high, low] = [hex(a * 256 + b), hex(c * 256 + d)]
  const flipped = [hex(0xffff ^ (a * 256 + b)), hex(0xffff ^ (c * 256 + d))]
  return [
    `::ffff:${dotted(n)}`,
    `::FFFF:${high}:${low}`,
    `0:0:0:0:0:ffff:${high}:${low}`,
    `::${dotted(n)}`,
    `::ffff:0:${dotted(n)}`,
    `64:ff9b::${dotted(n)}`,
    `64:ff9b:1::${high}:${low}`,
    `2002:${high}:${low}::1`,
    `2001:0:1:2:0:0:${flipped.join(':')}`,
    `2606:4700:1:2:0:5efe:${high}:${low}`,
    `fe80::200:5efe:${dotted(n)}`,
  ]
}

const groups = (numbers: number[]) => numbers.map(hex).join(':')
const specialV6 = fc
  .tuple(fc.constantFrom(...SPECIAL_V6), fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 }))
  .map(([lead, rest]) => groups([...lead, ...rest].slice(0, 8)))

const refused = async (host: string) => {
  const verdict = await checkWebhookUrl(POLICY, `https://${host}/`).then(
    (href) => `let through as ${href}`,
    (error: unknown) => (error instanceof Error && 'fields' in error ? 'refused' : String(error)),
  )
  expect([host, verdict]).toEqual([host, 'refused'])
}

test('no special IPv4 address gets through in any spelling', async () => {
  await fc.assert(fc.asyncProperty(specialV4.chain(spelledV4), refused), { numRuns: 3000 })
})

test('nor inside an IPv6 address, as a literal or as an answer of a name server', async () => {
  const forms = specialV4.chain((n) => fc.constantFrom(...embedded(n)))
  const property = fc.asyncProperty(forms, async (form) => {
    await refused(`[${form}]`)
    expect([form, refuseAddress(form, POLICY)]).not.toEqual([form, null])
  })
  await fc.assert(property, { numRuns: 2000 })
})

test('no special IPv6 address gets through', async () => {
  const property = fc.asyncProperty(specialV6, async (address) => {
    await refused(`[${address}]`)
    expect([address, refuseAddress(address, POLICY)]).not.toEqual([address, null])
    expect([address, refuseAddress(`${address}%eth0`, POLICY)]).not.toEqual([address, null])
  })
  await fc.assert(property, { numRuns: 2000 })
})

test('public IPv4 addresses do, in every spelling', async () => {
  const publicV4 = randomV4.filter((n) => !isSpecial(n)).chain((n) => spelledV4(n).map((text) => ({ n, text })))
  const property = fc.asyncProperty(publicV4, async ({ n, text }) => {
    expect(await checkWebhookUrl(POLICY, `https://${text}/`)).toBe(`https://${dotted(n)}/`)
  })
  await fc.assert(property, { numRuns: 1000 })
})
