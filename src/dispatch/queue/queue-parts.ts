import type { EndpointState } from './endpoint-state.ts'
import type { FailureStreak } from './failure-streak.ts'
import type { InFlight } from './in-flight.ts'
import type { ConversationRetries } from './order/conversation-retries.ts'
import type { DeliveryOrder } from './order/delivery-order.ts'
import type { RecoveryLimit } from './order/recovery-limit.ts'
import type { Prober } from './prober.ts'

/** What an `EndpointQueue` consists of. Each part owns its state; what to read next and what to probe follow from several. */
export interface QueueParts {
  readonly state: EndpointState
  readonly order: DeliveryOrder
  readonly retries: ConversationRetries
  readonly inFlight: InFlight
  readonly failures: FailureStreak
  readonly recovery: RecoveryLimit
  readonly prober: Prober
}
