import { LRUCache } from 'lru-cache'
import { DomainError, RateLimitedError } from '../domain/shared/errors.ts'
import type { Clock } from '../infra/clock.ts'
import { API_KEY_PATTERN } from '../infra/config.ts'
import { addressBlock } from '../infra/net/client-address.ts'
import type { RateCounter } from '../infra/redis/rate-counter.ts'
import { sha256 } from '../infra/secrets.ts'

/** A credential to check, and its origin. */
export interface Attempt {
  readonly address: string | null
  /** The credential; null without one. */
  readonly credential: string | null
  /** Whether the credential was created by this deployment, so that it cannot be a guess. Called only if needed. */
  isSigned?(): boolean
}

/** Limits missing and wrong credentials from one address. */
export interface AuthFailureThrottle {
  /**
   * Checks a credential. Only failures count. After too many of them, all credentials from that address are refused,
   * except those that were valid at their last use, on any node: many people can share an address.
   * @throws RateLimitedError instead of checking; the errors of `look`
   */
  guard<T>(tried: Attempt, look: () => Promise<T>): Promise<T>
}

const WINDOW_MS = 60_000
/** The maximum number of remembered credentials; the least recently used ones are dropped. */
const MAX_CREDENTIALS = 50_000
const MAX_ADDRESSES = 10_000
/** The interval for reading keys in use while an address is refused, and the period to read, at first and later. */
const REFRESH_MS = 5000
const FIRST_LOOKBACK_MS = 24 * 3_600_000
/** More than the delay of `lastUsedAt` and the difference between clocks of nodes. */
const LOOKBACK_MS = 120_000

/** Hashes of valid API keys that were used or created since a time, on any node. */
export type KeysInUse = (since: Date) => Promise<readonly string[]>

/** @param max the maximum number of failures per minute from one address; 0: no limit */
export function createAuthFailureThrottle(
  max: number,
  { hit }: Pick<RateCounter, 'hit'>,
  keysInUse: KeysInUse,
  clock: Clock,
): AuthFailureThrottle {
  if (max === 0) return { guard: (_tried, look) => look() }
  /** Whether a credential was valid at its last use, by its hash. */
  const wasValid = new LRUCache<string, boolean>({ max: MAX_CREDENTIALS })
  /** The time until which an address is refused, in steady milliseconds. */
  const refusedUntil = new LRUCache<string, number>({ max: MAX_ADDRESSES })

  let askedAt = Number.NEGATIVE_INFINITY
  let knownSince: number | null = null
  let asking = Promise.resolve()

  /**
   * Whether the database contains the key as one in use: one statement every few seconds, regardless of the number of
   * attempts.
   */
  async function isInUse(credential: string, hash: string): Promise<boolean> {
    if (!API_KEY_PATTERN.test(credential) || wasValid.has(hash)) return false
    const now = clock.now().getTime()
    const at = clock.steady().getTime()
    if (at - askedAt >= REFRESH_MS) {
      askedAt = at
      asking = keysInUse(new Date(knownSince === null ? now - FIRST_LOOKBACK_MS : knownSince - LOOKBACK_MS)).then(
        (hashes) => {
          knownSince = now
          // A credential that was refused since its last use stays refused.
          for (const each of hashes) if (!wasValid.has(each)) wasValid.set(each, true)
        },
      )
    }
    await asking
    return wasValid.get(hash) ?? false
  }

  function refusedFor(address: string | null): number {
    return (refusedUntil.get(addressBlock(address)) ?? 0) - clock.steady().getTime()
  }

  async function countFailure(address: string | null): Promise<void> {
    const block = addressBlock(address)
    const now = clock.steady()
    const { hits, endsInMs } = await hit(`failures ${block}`, WINDOW_MS, now)
    if (hits >= max) refusedUntil.set(block, now.getTime() + endsInMs)
    if (hits > max) throw tooMany(endsInMs)
  }

  return {
    async guard({ address, credential, isSigned = () => false }, look) {
      const hash = credential === null ? null : sha256(credential)
      let isTrusted = hash !== null && (wasValid.get(hash) ?? isSigned())
      const waitMs = isTrusted ? 0 : refusedFor(address)
      if (waitMs > 0) {
        isTrusted = credential !== null && hash !== null && (await isInUse(credential, hash))
        if (!isTrusted) throw tooMany(waitMs)
      }
      try {
        const found = await look()
        if (hash !== null) wasValid.set(hash, true)
        return found
      } catch (error) {
        if (!isRefusal(error)) throw error
        // Invented credentials must not displace those in use.
        if (isTrusted && hash !== null) wasValid.set(hash, false)
        await countFailure(address)
        throw error
      }
    },
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof DomainError && (error.code === 'unauthorized' || error.code === 'forbidden')
}

function tooMany(waitMs: number): RateLimitedError {
  return new RateLimitedError('Too many requests from your address had no valid credential', waitMs)
}
