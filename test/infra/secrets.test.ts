import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createVault, newApiKey, newWebhookSecret, sha256, VaultError } from '../../src/infra/secrets.ts'

const vault = createVault(randomBytes(32))
const CONTEXT = 'whk_01jy0000000000000000000000'

/** The sealed text with its bytes changed. */
function tampered(sealed: string, change: (bytes: Buffer) => Buffer): string {
  const [version, keyId, payload = ''] = sealed.split('.')
  return [version, keyId, change(Buffer.from(payload, 'base64url')).toString('base64url')].join('.')
}

test.each([
  ['nothing', ''],
  ['a webhook secret', newWebhookSecret()],
  ['text beyond ASCII', 'ключ 🔑'],
  ['a long text', 'x'.repeat(10_000)],
])('opens what it sealed: %s', (_name, plain) => {
  expect(vault.open(vault.seal(plain, CONTEXT), CONTEXT)).toBe(plain)
})

test('the sealed text neither shows the secret nor repeats itself', () => {
  const secret = newWebhookSecret()
  const [first, second] = [vault.seal(secret, CONTEXT), vault.seal(secret, CONTEXT)]
  expect(first).not.toContain(secret)
  expect(Buffer.from(first.split('.')[2] ?? '', 'base64url').includes(secret)).toBe(false)
  expect(first).not.toBe(second)
})

test('does not open for another row', () => {
  const sealed = vault.seal('secret', CONTEXT)
  expect(() => vault.open(sealed, 'whk_01jy0000000000000000000001')).toThrow(VaultError)
  expect(() => vault.open(sealed, '')).toThrow(VaultError)
})

test('does not open after any single bit was changed', () => {
  const sealed = vault.seal('secret', CONTEXT)
  const length = Buffer.from(sealed.split('.')[2] ?? '', 'base64url').length
  expect(length).toBe(12 + 'secret'.length + 16)
  for (let bit = 0; bit < 8 * length; bit++) {
    const changed = tampered(sealed, (bytes) => {
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      return bytes
    })
    expect(() => vault.open(changed, CONTEXT), `bit ${bit}`).toThrow(VaultError)
  }
})

test.each([1, 6, 12, 16, 17, 22, 27, 30, 33, 34])('does not open after it lost its last %i bytes', (lost) => {
  const cut = tampered(vault.seal('secret', CONTEXT), (bytes) => bytes.subarray(0, bytes.length - lost))
  expect(() => vault.open(cut, CONTEXT)).toThrow(VaultError)
})

test('does not open after something was added', () => {
  const longer = tampered(vault.seal('secret', CONTEXT), (bytes) => Buffer.concat([bytes, Buffer.from([0])]))
  expect(() => vault.open(longer, CONTEXT)).toThrow(VaultError)
})

test.each(['', 'secret', 'v1', 'v2.00000000.AAAA', 'v1.00000000'])('says that %j is not a sealed secret', (text) => {
  expect(() => vault.open(text, CONTEXT)).toThrow(new VaultError('Not a sealed secret'))
})

test('names both keys, but shows neither, when it was sealed with another one', () => {
  const [mine, other] = [randomBytes(32), randomBytes(32)]
  const idOf = (key: Buffer) => createVault(key).seal('', '').split('.')[1] ?? 'missing'
  const sealed = createVault(other).seal('secret', CONTEXT)
  const message = `Sealed with encryption key ${idOf(other)}, but ENCRYPTION_KEY is ${idOf(mine)}`
  expect(() => createVault(mine).open(sealed, CONTEXT)).toThrow(new VaultError(message))
  expect(idOf(mine)).toMatch(/^[0-9a-f]{8}$/)
  expect(idOf(mine)).not.toBe(idOf(other))
  expect(mine.toString('hex')).not.toContain(idOf(mine))
})

test('keys and secrets have the shape of the contract and are new every time', () => {
  expect(newApiKey()).toMatch(/^gd_[A-Za-z0-9_-]{43}$/)
  expect(newWebhookSecret()).toMatch(/^[0-9a-f]{64}$/)
  expect(new Set(Array.from({ length: 100 }, newApiKey)).size).toBe(100)
  expect(new Set(Array.from({ length: 100 }, newWebhookSecret)).size).toBe(100)
})

test('hashes are SHA-256 in hex', () => {
  expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})

test('processes that start together on an empty folder all read the same key', async () => {
  const dataDir = join(mkdtempSync(join(tmpdir(), 'guddesk-key-')), 'data')
  const url = new URL('../../src/infra/secrets.ts', import.meta.url).href
  const script = `import { localEncryptionKey } from '${url}'
    while (Date.now() < Number(process.argv[1])) {}
    process.stdout.write(localEncryptionKey(process.argv[2]).toString('hex'))`
  const at = String(Date.now() + 1500)
  const run = promisify(execFile)
  const runs = await Promise.all(
    Array.from({ length: 6 }, () => run(process.execPath, ['--input-type=module', '-e', script, at, dataDir])),
  )
  const keys = new Set(runs.map(({ stdout }) => stdout))
  expect([...keys]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)])
  expect(readdirSync(dataDir)).toEqual(['encryption.key'])
  rmSync(dirname(dataDir), { recursive: true })
})
