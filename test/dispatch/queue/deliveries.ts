import type { FetchedDelivery } from '../../../src/dispatch/delivery.ts'
import type { EndpointRow } from '../../../src/dispatch/store/endpoints.ts'

export const NOW = new Date('2026-01-15T10:30:00.000Z')
/** @param seconds after `NOW` */
export const at = (seconds: number) => new Date(NOW.getTime() + 1000 * seconds)

/** A live first attempt of a conversation of its own, unless `changes` says otherwise. */
export function delivery(n: number, changes: Partial<FetchedDelivery> = {}): FetchedDelivery {
  return {
    id: `dlv_${n}`,
    endpointId: 'whk_1',
    seq: String(n),
    conversationId: `conv_${n}`,
    attempts: 0,
    nextAttemptAt: null,
    isDeferred: false,
    priority: 'live',
    isTest: false,
    createdAt: new Date(0),
    type: 'message.created',
    body: '{}',
    version: '1',
    ...changes,
  }
}

/** A retry that is due so many seconds after `NOW`. */
export const retry = (n: number, dueIn: number, changes: Partial<FetchedDelivery> = {}) =>
  delivery(n, { attempts: 1, nextAttemptAt: at(dueIn), ...changes })

/** An enabled endpoint without any history. */
export const ROW: EndpointRow = {
  id: 'whk_1',
  workspaceId: 'ws_1',
  agentId: null,
  url: 'https://example.com',
  sealedSecret: '',
  previousSealedSecret: null,
  secretOverlapEndsAt: null,
  isEnabled: true,
  maxInFlight: 10,
  isStrict: false,
  failingSince: null,
  breakerOpenedAt: null,
  breakerProbeAt: null,
  breakerProbes: 0,
  isProbeRequested: false,
  probeRequestedAt: null,
  probeDeliveryId: null,
  isRecovering: false,
  version: '7.3',
}
