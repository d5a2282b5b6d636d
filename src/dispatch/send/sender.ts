import type { Clock } from '../../infra/clock.ts'
import type { Log } from '../../infra/log.ts'
import type { TargetPolicy } from '../../infra/net/target-policy.ts'
import type { Vault } from '../../infra/secrets.ts'
import { faultPoint } from '../fault-injection.ts'
import type { Exchange } from '../policy/outcome.ts'
import type { EndpointRow } from '../store/endpoints.ts'
import type { Claimed } from '../store/fetch-due.ts'
import { cache } from './cache.ts'
import { createSender } from './http-client.ts'
import { messageHeaders } from './request-headers.ts'
import { type Signers, type SigningKeys, signingKeys } from './signature.ts'

export interface SendingDeps {
  readonly clock: Clock
  readonly vault: Vault
  readonly targets: TargetPolicy
  readonly log: Log
  readonly version: string
}

/** An attempt that has ended. */
export interface Sent {
  readonly exchange: Exchange
  readonly startedAt: Date
  readonly durationMs: number
}

/** Signs deliveries and sends them. Never throws. */
export interface Sending {
  send(claimed: Claimed, endpoint: EndpointRow): Promise<Sent>
  close(): void
}

export function createSending({ clock, vault, targets, log, version }: SendingDeps): Sending {
  const sender = createSender(targets)
  const userAgent = `GudDesk-Webhooks/${version}`
  const keys = cache((sealed: string, endpointId: string) => signingKeys(vault.open(sealed, endpointId)))

  /** Who signs: the secret, and while it is being rotated also the one before. */
  function signersOf({ id, sealedSecret, previousSealedSecret, secretOverlapEndsAt }: EndpointRow, now: Date): Signers {
    const isRotating = previousSealedSecret !== null && secretOverlapEndsAt !== null && secretOverlapEndsAt > now
    const current: SigningKeys = keys(sealedSecret, id)
    return { current, previous: isRotating ? keys(previousSealedSecret, id) : null }
  }

  return {
    send(claimed, endpoint) {
      const startedAt = clock.now()
      const began = performance.now()
      const sent = (exchange: Exchange): Sent => {
        faultPoint('after-send')
        return { exchange, startedAt, durationMs: Math.round(performance.now() - began) }
      }
      let headers: string[]
      try {
        headers = messageHeaders(claimed, endpoint.agentId, signersOf(endpoint, startedAt), startedAt, userAgent)
      } catch (error) {
        log.error({ err: error, deliveryId: claimed.id, endpointId: endpoint.id }, 'a delivery could not be signed')
        return Promise.resolve(sent({ kind: 'fault', error: 'The delivery could not be signed' }))
      }
      faultPoint('before-send')
      return sender.post(endpoint.url, headers, claimed.body).then(sent)
    },
    close: () => sender.close(),
  }
}
