import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'

/** One secret's two keys: the bytes of its text, and the bytes that its text is base64 for. */
export interface SigningKeys {
  readonly text: KeyObject
  readonly standard: KeyObject
}

/** @param secret 64 lower-case hex characters, which are valid base64 too: Standard Webhooks libraries decode them so */
export function signingKeys(secret: string): SigningKeys {
  return {
    text: createSecretKey(Buffer.from(secret, 'utf8')),
    standard: createSecretKey(Buffer.from(secret, 'base64')),
  }
}

/** `X-GudDesk-Signature`: HMAC-SHA256 of the exact body bytes, keyed by the secret's text. */
export function signBody(keys: SigningKeys, body: string): string {
  return `sha256=${createHmac('sha256', keys.text).update(body).digest('hex')}`
}

/** `webhook-signature` (https://www.standardwebhooks.com): HMAC-SHA256 of id, timestamp in seconds, and body. */
export function signStandard(keys: SigningKeys, id: string, timestamp: number, body: string): string {
  return `v1,${createHmac('sha256', keys.standard).update(`${id}.${timestamp}.${body}`).digest('base64')}`
}
