import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'

/** The two keys of a secret: the bytes of its text, and the bytes that the text encodes in base64. */
export interface SigningKeys {
  readonly text: KeyObject
  readonly standard: KeyObject
}

/** The keys of a request. `previous` is the old secret during a rotation. */
export interface Signers {
  readonly current: SigningKeys
  readonly previous: SigningKeys | null
}

/**
 * @param secret 64 lower-case hexadecimal characters, which are also valid base64: libraries of Standard Webhooks
 *   decode them so
 */
export function signingKeys(secret: string): SigningKeys {
  return { text: createSecretKey(secret, 'utf8'), standard: createSecretKey(secret, 'base64') }
}

/**
 * `X-GudDesk-Signature`: HMAC-SHA256 of the exact body bytes, with the secret's text as key. It contains one signature,
 * by the previous secret until the overlap ends, so that a receiver with that secret continues to work.
 */
export function signBody({ current, previous }: Signers, body: string): string {
  const { text } = previous ?? current
  return `sha256=${createHmac('sha256', text).update(body).digest('hex')}`
}

/**
 * `webhook-signature` (https://www.standardwebhooks.com): HMAC-SHA256 of id, timestamp in seconds, and body; one per
 * secret, separated by a space. The previous secret's comes first, for receivers that read only the first one.
 */
export function signStandard({ current, previous }: Signers, id: string, timestamp: number, body: string): string {
  const content = `${id}.${timestamp}.${body}`
  const sign = ({ standard }: SigningKeys) => `v1,${createHmac('sha256', standard).update(content).digest('base64')}`
  return previous === null ? sign(current) : `${sign(previous)} ${sign(current)}`
}
