import { createHmac, timingSafeEqual } from 'node:crypto'

/** How far a message's time may be from ours: the way it takes, and clocks that differ. */
export const MAX_AGE_MS = 30_000
/** Of what anybody can send, this much is looked at. */
const MAX_LENGTH = 65_536

/** A message, or why it is none of ours. */
export type Opened = { readonly message: string } | { readonly refused: string }

/** Signs what travels between nodes, where others can write, too. */
export interface Signer {
  sign(channel: string, message: string, now: Date): string
  /** Refuses what was not signed by a node of this deployment, for this channel, a moment ago. */
  open(channel: string, text: string, now: Date): Opened
}

/**
 * Signs as `mac.time.message`, where `mac` is an HMAC-SHA256 of the channel, the time and the message.
 * @param previousKey opens too, and never signs: while one key takes the place of another
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
