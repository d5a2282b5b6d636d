import type { Clock } from '../../infra/clock.ts'
import type { Log } from '../../infra/log.ts'
import type { TargetPolicy } from '../../infra/net/target-policy.ts'
import type { Vault } from '../../infra/secrets.ts'
import type { HttpResult, PendingDelivery, TimedResult } from '../delivery.ts'
import { faultPoint } from '../fault-injection.ts'
import type { EndpointRow } from '../store/endpoints.ts'
import { cache } from './cache.ts'
import { createHttpClient } from './http-client.ts'
import { messageHeaders } from './request-headers.ts'
import { type Signers, type SigningKeys, signingKeys } from './signature.ts'

export interface SenderDeps {
  readonly clock: Clock
  readonly vault: Vault
  readonly targets: TargetPolicy
  readonly log: Log
  readonly version: string
}

/** Signs deliveries and sends them. Never throws. */
export interface WebhookSender {
  send(delivery: PendingDelivery, endpoint: EndpointRow): Promise<TimedResult>
  close(): void
}

export function createSender({ clock, vault, targets, log, version }: SenderDeps): WebhookSender {
  const client = createHttpClient(targets)
  const userAgent = `GudDesk-Webhooks/${version}`
  const keys = cache((sealed: string, endpointId: string) => signingKeys(vault.open(sealed, endpointId)))

  /** The signing secrets: the current one, and during a rotation also the previous one. */
  function signersOf({ id, sealedSecret, previousSealedSecret, secretOverlapEndsAt }: EndpointRow, now: Date): Signers {
    const isRotating = previousSealedSecret !== null && secretOverlapEndsAt !== null && secretOverlapEndsAt > now
    const current: SigningKeys = keys(sealedSecret, id)
    return { current, previous: isRotating ? keys(previousSealedSecret, id) : null }
  }

  return {
    send(delivery, endpoint) {
      const startedAt = clock.now()
      const began = performance.now()
      const sent = (httpResult: HttpResult): TimedResult => {
        faultPoint('after-send')
        return { httpResult, startedAt, durationMs: Math.round(performance.now() - began) }
      }
      let headers: string[]
      try {
        headers = messageHeaders(delivery, endpoint.agentId, signersOf(endpoint, startedAt), startedAt, userAgent)
      } catch (error) {
        log.error({ err: error, deliveryId: delivery.id, endpointId: endpoint.id }, 'delivery not signed')
        return Promise.resolve(sent({ kind: 'fault', error: 'The delivery could not be signed' }))
      }
      faultPoint('before-send')
      return client.post(endpoint.url, headers, delivery.body).then(sent)
    },
    close: () => client.close(),
  }
}
