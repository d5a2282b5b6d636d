import { LRUCache } from 'lru-cache'
import { DomainError, RateLimitedError } from '../domain/shared/errors.ts'
import type { Clock } from '../infra/clock.ts'
import { API_KEY_PATTERN } from '../infra/config.ts'
import { addressBlock } from '../infra/net/client-address.ts'
import type { RateCounter } from '../infra/redis/rate-counter.ts'
import { sha256 } from '../infra/secrets.ts'

/** What is looked at, and where it comes from. */
export interface Attempt {
  readonly address: string | null
  /** The credential; null when there is none. */
  readonly credential: string | null
  /** Whether it was made here, so that it cannot be a guess. Asked only when it matters. */
  isSigned?(): boolean
}

/** Bounds what an address may cost that sends missing or wrong credentials. */
export interface AuthFailureThrottle {
  /**
   * Looks at a credential. Only failures count. Once an address has had too many of them, nothing that comes from it is
   * looked at any more, apart from credentials that were valid at their last use, here or on another node: many people
   * may stand behind it.
   * @throws RateLimitedError in place of looking; what `look` throws
   */
  guard<T>(tried: Attempt, look: () => Promise<T>): Promise<T>
}

const WINDOW_MS = 60_000
/** Of more credentials, those that were used longest ago are forgotten. */
const MAX_CREDENTIALS = 50_000
const MAX_ADDRESSES = 10_000
/** How often keys in use are asked for, while addresses are refused; and how far back, at first and later. */
const REFRESH_MS = 5000
const FIRST_LOOKBACK_MS = 24 * 3_600_000
/** More than `lastUsedAt` may be behind, and clocks of nodes apart. */
const LOOKBACK_MS = 120_000

/** Hashes of API keys that are valid and were used or made since then, here or on another node. */
export type KeysInUse = (since: Date) => Promise<readonly string[]>

/** @param max failures a minute from one address; 0: no limit */
export function createAuthFailureThrottle(
  max: number,
  { hit }: Pick<RateCounter, 'hit'>,
  keysInUse: KeysInUse,
  clock: Clock,
): AuthFailureThrottle {
  if (max === 0) return { guard: (_tried, look) => look() }
  /** By its hash, whether a credential was valid at its last use. */
  const wasValid = new LRUCache<string, boolean>({ max: MAX_CREDENTIALS })
  /** By address, until when nothing is looked at, in steady milliseconds. */
  const refusedUntil = new LRUCache<string, number>({ max: MAX_ADDRESSES })

  let askedAt = Number.NEGATIVE_INFINITY
  let knownSince: number | null = null
  let asking = Promise.resolve()

  /** Whether the database knows the key as one in use. That is one statement every few seconds, whatever is tried. */
  async function isInUse(credential: string, hash: string): Promise<boolean> {
    if (!API_KEY_PATTERN.test(credential) || wasValid.has(hash)) return false
    const now = clock.now().getTime()
    const at = clock.steady().getTime()
    if (at - askedAt >= REFRESH_MS) {
      askedAt = at
      asking = keysInUse(new Date(knownSince === null ? now - FIRST_LOOKBACK_MS : knownSince - LOOKBACK_MS)).then(
        (hashes) => {
          knownSince = now
          // What was refused here since its last use stays refused.
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
        // Made-up credentials must not push out those that are used.
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
