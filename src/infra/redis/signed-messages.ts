import { createHmac, timingSafeEqual } from 'node:crypto'

/** The maximum age of a message, which includes the difference between clocks. */
export const MAX_AGE_MS = 30_000
/** The maximum length of a message that is checked. */
const MAX_LENGTH = 65_536

/** A message, or the reason why it is refused. */
export type Opened = { readonly message: string } | { readonly refused: string }

/** Signs messages between nodes, because others can write to Redis. */
export interface Signer {
  sign(channel: string, message: string, now: Date): string
  /** Accepts only messages that a node of this deployment signed recently for this channel. */
  open(channel: string, text: string, now: Date): Opened
}

/**
 * Signs as `mac.time.message`, where `mac` is an HMAC-SHA256 of the channel, the time and the message.
 * @param previousKey only verifies, during the rotation of the key
 */
export function createSigner(key: string, previousKey: string | null): Signer {
  const keys = previousKey === null ? [key] : [key, previousKey]
  return {
    sign(channel, message, now) {
      const at = String(now.getTime())
      return `${macOf(key, channel, at, message)}.${at}.${message}`
    },
    open(channel, text, now) {
      const parts = text.length > MAX_LENGTH ? null : /^([\w-]{43})\.(\d{1,16})\.(.*)$/s.exec(text)
      const [, mac, at, message] = parts ?? []
      if (mac === undefined || at === undefined || message === undefined) return { refused: 'it is not signed' }
      const isOurs = keys.some((each) => isEqual(mac, macOf(each, channel, at, message)))
      if (!isOurs) return { refused: 'it was signed with another ENCRYPTION_KEY, or was changed' }
      if (Math.abs(now.getTime() - Number(at)) > MAX_AGE_MS)
        return { refused: 'it is too old, or the clocks of the nodes differ' }
      return { message }
    },
  }
}

function macOf(key: string, channel: string, at: string, message: string): string {
  return createHmac('sha256', key)
    .update(JSON.stringify([channel, at, message]))
    .digest('base64url')
}

/** Both are 43 ASCII characters. */
function isEqual(given: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(given), Buffer.from(expected))
}
