import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'

/** One secret's two keys: the bytes of its text, and the bytes that its text is base64 for. */
export interface SigningKeys {
  readonly text: KeyObject
  readonly standard: KeyObject
}

/** Who signs a request. `previous` is the secret before, while one is being rotated. */
export interface Signers {
  readonly current: SigningKeys
  readonly previous: SigningKeys | null
}

/** @param secret 64 lower-case hex characters, which are valid base64 too: Standard Webhooks libraries decode them so */
export function signingKeys(secret: string): SigningKeys {
  return { text: createSecretKey(secret, 'utf8'), standard: createSecretKey(secret, 'base64') }
}

/**
 * `X-GudDesk-Signature`: HMAC-SHA256 of the exact body bytes, keyed by the secret's text. It has room for one signature,
 * so it keeps to the previous secret until the overlap ends: a receiver that knows only that one goes on working.
 */
export function signBody({ current, previous }: Signers, body: string): string {
  const { text } = previous ?? current
  return `sha256=${createHmac('sha256', text).update(body).digest('hex')}`
}

/**
 * `webhook-signature` (https://www.standardwebhooks.com): HMAC-SHA256 of id, timestamp in seconds, and body; one per
 * secret, separated by a space. The previous secret's stands first, for receivers that look at the first one only.
 */
export function signStandard({ current, previous }: Signers, id: string, timestamp: number, body: string): string {
  const content = `${id}.${timestamp}.${body}`
  const sign = ({ standard }: SigningKeys) => `v1,${createHmac('sha256', standard).update(content).digest('base64')}`
  return previous === null ? sign(current) : `${sign(previous)} ${sign(current)}`
}
