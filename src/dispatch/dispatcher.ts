import { randomUUID } from 'node:crypto'
import { DISPATCH_TOPIC } from '../domain/events.ts'
import type { Bus } from '../infra/bus.ts'
import type { Clock } from '../infra/clock.ts'
import type { Database } from '../infra/db.ts'
import type { Log } from '../infra/log.ts'
import type { TargetPolicy } from '../infra/net.ts'
import type { Vault } from '../infra/secrets.ts'
import { type Claimed, claim, release, releaseAbandoned } from './claim.ts'
import { createSender, DEADLINE_MS, type Sender } from './http.ts'
import { messageHeaders } from './message.ts'
import { decide, decideTest, type Exchange, type Outcome } from './outcome.ts'
import { type Result, settle } from './settle.ts'
import { type Signers, type SigningKeys, signingKeys } from './signing.ts'

export interface DispatcherDeps {
  readonly db: Database
  readonly bus: Bus
  readonly clock: Clock
  readonly vault: Vault
  readonly targets: TargetPolicy
  readonly log: Log
  /** Stands in the User-Agent. */
  readonly version: string
}

export interface Dispatcher {
  /** Claims nothing more, waits for what is being sent, records it, gives back what did not finish. */
  stop(): Promise<void>
}

/** Requests in flight in this process, and to one endpoint. */
const CAPACITY = 512
const PER_ENDPOINT = 10
/** How long a claim is valid: a send's deadline, and time to record it while the database is slow. */
const LEASE_MS = DEADLINE_MS + 10_000
const POLL_MS = 1000
const GATHER_MS = 2
const SETTLE_RETRY_MS = 500
const STOP_MS = 8000
const CACHED_KEYS = 10_000

/** Turns deliveries into signed requests: claim → sign → send → settle, woken by the bus, polling as the fallback. */
export async function startDispatcher(deps: DispatcherDeps): Promise<Dispatcher> {
  if (deps.db.exclusive) await releaseAbandoned(deps.db, deps.clock.now())
  const run = new Run(deps)
  run.wake()
  return run
}

class Run implements Dispatcher {
  readonly #deps: DispatcherDeps
  readonly #sender: Sender
  readonly #userAgent: string
  readonly #unsubscribe: () => void
  /** Claimed and not yet settled. */
  readonly #inFlight = new Map<string, Claimed>()
  readonly #perEndpoint = new Map<string, number>()
  readonly #keys = new Map<string, SigningKeys>()
  #results: { result: Result; claimed: Claimed }[] = []
  #flushing: Promise<void> | null = null
  #claiming: Promise<void> | null = null
  #isStale = false
  #isStopping = false
  #timer: NodeJS.Timeout | undefined

  constructor(deps: DispatcherDeps) {
    this.#deps = deps
    this.#sender = createSender(deps.targets)
    this.#userAgent = `GudDesk-Webhooks/${deps.version}`
    this.#unsubscribe = deps.bus.subscribe(DISPATCH_TOPIC, () => this.wake())
  }

  /** Looks for work now. A wake-up during a claim is one more claim after it. */
  wake(): void {
    if (this.#isStopping) return
    this.#isStale = true
    this.#claiming ??= this.#claimAll().finally(() => {
      this.#claiming = null
      if (this.#isStale) this.wake()
    })
  }

  async #claimAll(): Promise<void> {
    clearTimeout(this.#timer)
    try {
      while (this.#isStale && !this.#isStopping) {
        this.#isStale = false
        const room = CAPACITY - this.#inFlight.size
        const claimed = room > 0 ? await this.#claim(room) : []
        for (const delivery of claimed) void this.#deliver(delivery)
        if (claimed.length > 0) this.#isStale = true
      }
    } catch (error) {
      this.#isStale = false
      this.#deps.log.error({ err: error }, 'deliveries could not be claimed; trying again in a second')
    }
    this.#timer = setTimeout(() => this.wake(), POLL_MS)
  }

  async #claim(batch: number): Promise<Claimed[]> {
    const now = this.#deps.clock.now()
    const free = new Map([...this.#perEndpoint].map(([id, busy]) => [id, PER_ENDPOINT - busy]))
    const leaseEnds = new Date(now.getTime() + LEASE_MS)
    const claimed = await claim(this.#deps.db, {
      lease: randomUUID(),
      now,
      leaseEnds,
      batch,
      perEndpoint: PER_ENDPOINT,
      free,
    })
    for (const delivery of claimed) {
      this.#inFlight.set(delivery.lease + delivery.id, delivery)
      this.#perEndpoint.set(delivery.endpointId, (this.#perEndpoint.get(delivery.endpointId) ?? 0) + 1)
    }
    return claimed
  }

  async #deliver(claimed: Claimed): Promise<void> {
    const { clock, log } = this.#deps
    const startedAt = clock.now()
    const began = performance.now()
    const exchange = await this.#exchange(claimed, startedAt)
    const durationMs = Math.round(performance.now() - began)
    const outcome = claimed.isTest
      ? decideTest(exchange, clock.now())
      : decide(exchange, claimed.attempt, clock.now(), clock.random())
    const { id: deliveryId, attempt, type, endpointId } = claimed
    log.info({ deliveryId, endpointId, type, attempt, durationMs, ...summary(exchange), next: outcome.next }, 'attempt')
    if (outcome.next === 'release') {
      await release(this.#deps.db, [claimed], outcome.at).catch((error: unknown) => {
        log.error({ err: error, deliveryId }, 'a lease was not given back; it ends by itself')
      })
      this.#forget(claimed)
      return
    }
    this.#results.push({ result: toResult(claimed, exchange, outcome, startedAt, durationMs), claimed })
    this.#flushing ??= this.#flush()
  }

  async #exchange(claimed: Claimed, now: Date): Promise<Exchange> {
    let headers: Record<string, string>
    try {
      headers = messageHeaders(claimed, this.#signersOf(claimed), now, this.#userAgent)
    } catch (error) {
      this.#deps.log.error({ err: error, deliveryId: claimed.id }, 'a delivery could not be signed')
      return { kind: 'fault', error: 'The delivery could not be signed' }
    }
    return this.#sender.post(claimed.url, headers, claimed.body)
  }

  /** Who signs: the secret, and while it is being rotated also the one before. */
  #signersOf({ endpointId, sealedSecret, previousSealedSecret }: Claimed): Signers {
    const current = this.#keysOf(endpointId, sealedSecret)
    return { current, previous: previousSealedSecret === null ? null : this.#keysOf(endpointId, previousSealedSecret) }
  }

  #keysOf(endpointId: string, sealedSecret: string): SigningKeys {
    const cached = this.#keys.get(sealedSecret)
    if (cached !== undefined) return cached
    const keys = signingKeys(this.#deps.vault.open(sealedSecret, endpointId))
    if (this.#keys.size >= CACHED_KEYS) this.#keys.clear()
    this.#keys.set(sealedSecret, keys)
    return keys
  }

  /** Records results in batches until there are none. What cannot be recorded is tried again; the leases bound that. */
  async #flush(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, GATHER_MS))
    while (this.#results.length > 0) {
      const batch = this.#results.splice(0, CAPACITY)
      try {
        await settle(
          this.#deps,
          batch.map(({ result }) => result),
          this.#deps.clock.now(),
        )
        for (const { claimed } of batch) this.#forget(claimed)
      } catch (error) {
        this.#deps.log.error({ err: error }, 'results could not be recorded; trying again')
        await this.#retryOrDrop(batch)
      }
    }
    this.#flushing = null
    // Places are free, and later events of these conversations may go now.
    this.wake()
  }

  /** Results whose lease has ended are dropped: the delivery is due again, here or elsewhere. */
  async #retryOrDrop(batch: { result: Result; claimed: Claimed }[]): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_RETRY_MS))
    const oldest = this.#deps.clock.now().getTime() - LEASE_MS
    for (const entry of batch) {
      if (entry.result.startedAt.getTime() > oldest) this.#results.push(entry)
      else this.#forget(entry.claimed)
    }
  }

  #forget(claimed: Claimed): void {
    this.#inFlight.delete(claimed.lease + claimed.id)
    const busy = (this.#perEndpoint.get(claimed.endpointId) ?? 1) - 1
    if (busy > 0) this.#perEndpoint.set(claimed.endpointId, busy)
    else this.#perEndpoint.delete(claimed.endpointId)
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#unsubscribe()
    await this.#claiming
    clearTimeout(this.#timer)
    const until = performance.now() + STOP_MS
    while (this.#inFlight.size > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 10))
    if (this.#inFlight.size > 0) await release(this.#deps.db, [...this.#inFlight.values()], this.#deps.clock.now())
    await this.#sender.close()
  }
}

function summary(exchange: Exchange): { statusCode?: number; error?: string } {
  return exchange.kind === 'answered' ? { statusCode: exchange.statusCode } : { error: exchange.error }
}

function toResult(
  { id, lease, endpointId, attempt }: Claimed,
  exchange: Exchange,
  outcome: Exclude<Outcome, { next: 'release' }>,
  startedAt: Date,
  durationMs: number,
): Result {
  const answered = exchange.kind === 'answered'
  return {
    id,
    lease,
    endpointId,
    number: attempt,
    startedAt,
    durationMs,
    statusCode: answered ? exchange.statusCode : null,
    response: answered ? exchange.response : null,
    error: answered ? null : exchange.error,
    status: outcome.next === 'delivered' ? 'DELIVERED' : outcome.next === 'retry' ? 'PENDING' : 'FAILED',
    due: outcome.next === 'retry' ? outcome.at : null,
    gone: outcome.next === 'gone',
  }
}
