import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from './config.ts'

/** Encrypts short secrets for storage and decrypts them. */
export interface Vault {
  /** The id of the encryption key, in every sealed text and in the node's row. It reveals nothing of the key. */
  readonly keyId: string
  /** The prefix of all texts that the current key sealed. */
  readonly prefix: string
  /** AES-256-GCM. `context` (the row's id) is authenticated: a sealed text in another row does not open. */
  seal(plain: string, context: string): string
  /** @throws VaultError when the text was sealed with another key or for another context, or was changed */
  open(sealed: string, context: string): string
}

export class VaultError extends Error {
  override name = 'VaultError'
}

const IV_BYTES = 12
const TAG_BYTES = 16

const keyIdOf = (key: Buffer) => createHash('sha256').update(key).digest('hex').slice(0, 8)

/**
 * @param key 32 bytes. Its id, the first 8 hexadecimal characters of its SHA-256, is part of every sealed text.
 * @param previous only opens, during a rotation
 */
export function createVault(key: Buffer, previous?: Buffer): Vault {
  const keyId = keyIdOf(key)
  const keys = new Map([...(previous === undefined ? [] : [[keyIdOf(previous), previous] as const]), [keyId, key]])
  return {
    keyId,
    prefix: `v1.${keyId}.`,
    seal(plain, context) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context))
      const sealed = Buffer.concat([iv, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `v1.${keyId}.${sealed.toString('base64url')}`
    },
    open(sealed, context) {
      const [version, sealedBy, payload] = sealed.split('.')
      if (version !== 'v1' || payload === undefined) throw new VaultError('Not a sealed secret')
      const opener = keys.get(sealedBy ?? '')
      if (opener === undefined) {
        throw new VaultError(`Sealed with encryption key ${sealedBy}, but ENCRYPTION_KEY is ${keyId}`)
      }
      const bytes = Buffer.from(payload, 'base64url')
      try {
        const options = { authTagLength: TAG_BYTES }
        const decipher = createDecipheriv('aes-256-gcm', opener, bytes.subarray(0, IV_BYTES), options)
          .setAAD(Buffer.from(context))
          .setAuthTag(bytes.subarray(-TAG_BYTES))
        const plain = decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES))
        return Buffer.concat([plain, decipher.final()]).toString('utf8')
      } catch (cause) {
        throw new VaultError('A sealed secret was changed or belongs to another row', { cause })
      }
    },
  }
}

/**
 * The key file of a deployment without ENCRYPTION_KEY: created on first use, readable only by its owner. It is renamed
 * when complete, so that several starting processes all read the key of the first one.
 * @throws VaultError when the file does not contain a key
 */
export function localEncryptionKey(dataDir: string): Buffer {
  const path = join(dataDir, 'encryption.key')
  if (!existsSync(path)) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    const draft = `${path}.${randomBytes(8).toString('hex')}`
    writeFileSync(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flush: true })
    try {
      linkSync(draft, path)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    } finally {
      rmSync(draft)
    }
  }
  const text = readFileSync(path, 'utf8').trim()
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new VaultError(`${path} must hold 64 hex characters; restore it from a backup`)
  return Buffer.from(text, 'hex')
}

/** The configured key, or the one in the data folder. @throws VaultError when the file does not contain a key */
export function encryptionKey({ encryptionKey: key, dataDir }: Pick<Config, 'encryptionKey' | 'dataDir'>): Buffer {
  return key ?? localEncryptionKey(dataDir)
}

/**
 * Hexadecimal SHA-256: the stored form of API keys. They are 256 random bits, so neither a salt nor a slow hash adds
 * security.
 */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** A new API key: `gd_` and 32 random bytes in base64url. */
export function newApiKey(): string {
  return `gd_${randomBytes(32).toString('base64url')}`
}

/** A new webhook secret: 32 random bytes as 64 lower-case hex characters. */
export function newWebhookSecret(): string {
  return randomBytes(32).toString('hex')
}

/**
 * Derives a key for another purpose, from which the original key cannot be computed. @returns 32 bytes in hexadecimal
 */
export function deriveKey(key: Buffer, purpose: string): string {
  return Buffer.from(hkdfSync('sha256', key, '', `guddesk ${purpose}`, 32)).toString('hex')
}
