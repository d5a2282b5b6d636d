import { listDeliveries, replayDelivery } from '../domain/deliveries.ts'
import { ReplayFailed, replayFailedDeliveries } from '../domain/replay-deliveries.ts'
import { sendTestEvent } from '../domain/test-events.ts'
import { builder } from '../schema/builder.ts'
import { AFTER, FIRST, pageRequest, toConnection } from '../schema/connection.ts'
import { Delivery, DeliveryConnection, DeliveryFilterInput, ReplayDeliveryInput } from '../schema/delivery.ts'
import { mutationErrors } from '../schema/errors.ts'
import { ReplayFailedDeliveriesInput, SendTestEventInput } from '../schema/webhook-endpoint.ts'
import { given, inputOf } from './input.ts'

builder.queryField('deliveries', (t) =>
  t.field({
    type: DeliveryConnection,
    description: 'Webhook deliveries, newest first.',
    args: {
      filter: t.arg({ type: DeliveryFilterInput, description: 'Which ones; all when left out.' }),
      first: t.arg.int(FIRST),
      after: t.arg.string(AFTER),
    },
    resolve: async (_root, { filter, ...page }, { deps, actor }) => {
      const found = await listDeliveries(deps, actor(), given(filter ?? {}), pageRequest(page))
      return toConnection(found, page.after)
    },
  }),
)

const ReplayDeliveryPayload = builder.simpleObject('ReplayDeliveryPayload', {
  description: 'What is sent once more.',
  fields: (t) => ({ delivery: t.field({ type: Delivery, description: 'The delivery, due now.' }) }),
})

builder.mutationField('replayDelivery', (t) =>
  t.field({
    type: ReplayDeliveryPayload,
    errors: mutationErrors,
    description: 'Sends a finished delivery once more, under the same delivery id.',
    args: { input: t.arg({ type: ReplayDeliveryInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, { deps, actor }) => ({
      delivery: await replayDelivery(deps, actor(), input.deliveryId),
    }),
  }),
)

const SendTestEventPayload = builder.simpleObject('SendTestEventPayload', {
  description: 'What is sent.',
  fields: (t) => ({
    delivery: t.field({ type: Delivery, description: 'The delivery, due now: watch what comes of it.' }),
  }),
})

const ReplayFailedDeliveriesPayload = builder.simpleObject('ReplayFailedDeliveriesPayload', {
  description: 'What is sent once more.',
  fields: (t) => ({
    replayedCount: t.int({ description: 'Deliveries that this call made due; they are sent after what is live.' }),
    isComplete: t.boolean({ description: 'False when there may be more: a call replays 100,000 at most.' }),
  }),
})

builder.mutationFields((t) => ({
  sendTestEvent: t.field({
    type: SendTestEventPayload,
    errors: mutationErrors,
    description:
      'Sends an event with sample data to one endpoint, whatever it subscribes to and also while it is disabled: once, without retries, and without counting for its health.',
    args: { input: t.arg({ type: SendTestEventInput, required: true, description: 'What to send, and where.' }) },
    resolve: async (_root, { input }, { deps, actor }) => ({ delivery: await sendTestEvent(deps, actor(), input) }),
  }),
  replayFailedDeliveries: t.field({
    type: ReplayFailedDeliveriesPayload,
    errors: mutationErrors,
    description:
      "Sends an endpoint's failed deliveries once more, under their own ids and after what is live. What is pending is left alone.",
    args: { input: t.arg({ type: ReplayFailedDeliveriesInput, required: true, description: 'Which ones.' }) },
    resolve: async (_root, { input }, { deps, actor }) => {
      const wanted = inputOf(ReplayFailed, given(input))
      const { count, isComplete } = await replayFailedDeliveries(deps, actor(), wanted)
      return { replayedCount: count, isComplete }
    },
  }),
}))
