import { listDeliveries, replayDelivery } from '../domain/deliveries/deliveries.ts'
import { deliveryStats } from '../domain/deliveries/delivery-stats.ts'
import { slowestEndpoints } from '../domain/deliveries/endpoint-stats.ts'
import { ReplayFailed, replayFailedDeliveries } from '../domain/webhooks/replay-deliveries.ts'
import { sendTestEvent } from '../domain/webhooks/test-events.ts'
import { builder } from '../schema/builder.ts'
import { pageArgs, pageRequest, toConnection } from '../schema/connection.ts'
import { Delivery, DeliveryConnection, DeliveryFilterInput, ReplayDeliveryInput } from '../schema/delivery.ts'
import { MutationPayload } from '../schema/errors.ts'
import { ReplayFailedDeliveriesInput, SendTestEventInput } from '../schema/webhook-endpoint.ts'
import { DeliveryStatsBucket, EndpointStats, StatsBucket } from '../schema/webhook-health.ts'
import { conditionsOf, inputOf, omitNull } from './input.ts'

builder.queryField('deliveries', (t) =>
  t.field({
    type: DeliveryConnection,
    description: 'The webhook deliveries of the workspace, newest first. The key of an agent only sees its own.',
    args: {
      filter: t.arg({
        type: DeliveryFilterInput,
        description: 'Conditions on the deliveries. All deliveries by default.',
      }),
      ...pageArgs(t.arg),
    },
    resolve: async (_root, { filter, ...page }, { deps, actor, budget }) => {
      const found = await listDeliveries(deps, actor(), conditionsOf(filter), pageRequest(page, budget))
      return toConnection(found)
    },
  }),
)

builder.queryField('deliveryStats', (t) =>
  t.field({
    type: [DeliveryStatsBucket],
    description:
      'Statistics of deliveries in intervals of equal length, aligned to UTC, including empty intervals. At most 1,000 intervals; the start and end are extended to whole intervals.',
    args: {
      endpointId: t.arg.id({
        description: 'Counts only deliveries to the webhook endpoint with this id. All endpoints by default.',
      }),
      from: t.arg({ type: 'DateTime', required: true, description: 'The start of the time range, included.' }),
      to: t.arg({ type: 'DateTime', required: true, description: 'The end of the time range, excluded.' }),
      bucket: t.arg({ type: StatsBucket, required: true, description: 'The length of the intervals.' }),
    },
    resolve: (_root, query, { deps, actor }) => deliveryStats(deps, actor(), query),
  }),
)

builder.queryField('slowestEndpoints', (t) =>
  t.field({
    type: [EndpointStats],
    description:
      'The webhook endpoints with the slowest attempts, by the 95th percentile of the duration, slowest first. At most 50; endpoints without an attempt are left out.',
    args: {
      from: t.arg({ type: 'DateTime', required: true, description: 'The start of the time range, included.' }),
      to: t.arg({ type: 'DateTime', required: true, description: 'The end of the time range, excluded.' }),
      first: t.arg.int({ required: true, defaultValue: 5, description: 'The maximum number of endpoints, 1 to 50.' }),
    },
    resolve: (_root, query, { deps, actor }) => slowestEndpoints(deps, actor(), query),
  }),
)

const ReplayDeliveryPayload = builder.simpleObject('ReplayDeliveryPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `replayDelivery`.',
  fields: (t) => ({
    delivery: t.field({
      type: Delivery,
      description: 'The delivery. It is due now, or pending until a test request to the receiver has succeeded.',
    }),
  }),
})

builder.mutationField('replayDelivery', (t) =>
  t.field({
    type: ReplayDeliveryPayload,
    description:
      'Sends a delivery immediately, with the same delivery id. A finished delivery is sent again. For a pending delivery, a test request is sent, at most once a minute for each endpoint; a failure uses no attempt, and after a success, all pending deliveries of the endpoint are sent.',
    args: { input: t.arg({ type: ReplayDeliveryInput, required: true, description: 'The delivery to replay.' }) },
    resolve: async (_root, { input }, { deps, actor }) => ({
      delivery: await replayDelivery(deps, actor(), input.deliveryId),
    }),
  }),
)

const SendTestEventPayload = builder.simpleObject('SendTestEventPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `sendTestEvent`.',
  fields: (t) => ({
    delivery: t.field({
      type: Delivery,
      description: 'The delivery of the test event, which is due now. Query it again to see the result.',
    }),
  }),
})

const ReplayFailedDeliveriesPayload = builder.simpleObject('ReplayFailedDeliveriesPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `replayFailedDeliveries`.',
  fields: (t) => ({
    replayedCount: t.int({
      description:
        'The number of deliveries that will be sent: those that were replayed, and those that were waiting for their next attempt.',
    }),
    isComplete: t.boolean({
      description:
        'Whether all matching deliveries were replayed. False when there may be more: one call replays at most 100,000, or 2,000 with an idempotency key.',
    }),
  }),
})

builder.mutationFields((t) => ({
  sendTestEvent: t.field({
    type: SendTestEventPayload,
    description:
      'Sends an event with sample data to a webhook endpoint, regardless of its event types, and even when it is disabled. It is sent once, without retries, and does not affect the health of the endpoint.',
    args: {
      input: t.arg({
        type: SendTestEventInput,
        required: true,
        description: 'The webhook endpoint and the event type.',
      }),
    },
    resolve: async (_root, { input }, { deps, actor }) => ({ delivery: await sendTestEvent(deps, actor(), input) }),
  }),
  replayFailedDeliveries: t.field({
    type: ReplayFailedDeliveriesPayload,
    description:
      'Sends the failed deliveries of a webhook endpoint again, with the same delivery ids and after all new events. If deliveries are waiting for their next attempt, the first is sent immediately, and the others follow when it succeeds.',
    args: {
      input: t.arg({
        type: ReplayFailedDeliveriesInput,
        required: true,
        description: 'The webhook endpoint and its deliveries to replay.',
      }),
    },
    resolve: async (_root, { input }, { deps, actor }) => {
      const wanted = inputOf(ReplayFailed, omitNull(input))
      const { count, isComplete } = await replayFailedDeliveries(deps, actor(), wanted)
      return { replayedCount: count, isComplete }
    },
  }),
}))
