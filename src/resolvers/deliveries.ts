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
import { inputOf, omitNull } from './input.ts'

builder.queryField('deliveries', (t) =>
  t.field({
    type: DeliveryConnection,
    description: 'Webhook deliveries, newest first.',
    args: {
      filter: t.arg({ type: DeliveryFilterInput, description: 'Which ones; all when left out.' }),
      ...pageArgs(t.arg),
    },
    resolve: async (_root, { filter, ...page }, { deps, actor, budget }) => {
      const found = await listDeliveries(deps, actor(), omitNull(filter ?? {}), pageRequest(page, budget))
      return toConnection(found)
    },
  }),
)

builder.queryField('deliveryStats', (t) =>
  t.field({
    type: [DeliveryStatsBucket],
    description:
      'Statistics of deliveries, in buckets of equal length in UTC, the empty ones included: at most 1,000. Both ends are rounded outwards to whole buckets.',
    args: {
      endpointId: t.arg.id({ description: 'Of one endpoint; of all when left out.' }),
      from: t.arg({ type: 'DateTime', required: true, description: 'From here.' }),
      to: t.arg({ type: 'DateTime', required: true, description: 'Up to here.' }),
      bucket: t.arg({ type: StatsBucket, required: true, description: 'How long a bucket is.' }),
    },
    resolve: (_root, query, { deps, actor }) => deliveryStats(deps, actor(), query),
  }),
)

builder.queryField('slowestEndpoints', (t) =>
  t.field({
    type: [EndpointStats],
    description:
      'The endpoints whose attempts took longest, by their 95th percentile, the slowest first. Those that were sent nothing are left out.',
    args: {
      from: t.arg({ type: 'DateTime', required: true, description: 'From here.' }),
      to: t.arg({ type: 'DateTime', required: true, description: 'Up to here.' }),
      first: t.arg.int({ required: true, defaultValue: 5, description: 'How many at most: 1 to 50.' }),
    },
    resolve: (_root, query, { deps, actor }) => slowestEndpoints(deps, actor(), query),
  }),
)

const ReplayDeliveryPayload = builder.simpleObject('ReplayDeliveryPayload', {
  interfaces: [MutationPayload],
  description: 'What is sent once more.',
  fields: (t) => ({
    delivery: t.field({
      nullable: true,
      type: Delivery,
      description: 'The delivery: due now, or waiting as before until the request has succeeded.',
    }),
  }),
})

builder.mutationField('replayDelivery', (t) =>
  t.field({
    type: ReplayDeliveryPayload,
    nullable: true,
    description:
      'Sends a delivery now, under the same delivery id: a finished one once more, one that waits for its next attempt ahead of its time. Of those that wait, one is sent so for each endpoint and minute; when it fails, no attempt is spent, and when it succeeds, all that wait for the endpoint follow.',
    args: { input: t.arg({ type: ReplayDeliveryInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, { deps, actor }) => ({
      delivery: await replayDelivery(deps, actor(), input.deliveryId),
    }),
  }),
)

const SendTestEventPayload = builder.simpleObject('SendTestEventPayload', {
  interfaces: [MutationPayload],
  description: 'What is sent.',
  fields: (t) => ({
    delivery: t.field({
      nullable: true,
      type: Delivery,
      description: 'The delivery, due now: watch what comes of it.',
    }),
  }),
})

const ReplayFailedDeliveriesPayload = builder.simpleObject('ReplayFailedDeliveriesPayload', {
  interfaces: [MutationPayload],
  description: 'What is sent once more.',
  fields: (t) => ({
    replayedCount: t.int({
      nullable: true,
      description:
        'Deliveries that this call made due, which are sent after what is live, and those that wait for their next attempt.',
    }),
    isComplete: t.boolean({
      nullable: true,
      description: 'False when there may be more: a call replays 100,000 at most.',
    }),
  }),
})

builder.mutationFields((t) => ({
  sendTestEvent: t.field({
    type: SendTestEventPayload,
    nullable: true,
    description:
      'Sends an event with sample data to one endpoint, whatever it subscribes to and also while it is disabled: once, without retries, and without counting for its health.',
    args: { input: t.arg({ type: SendTestEventInput, required: true, description: 'What to send, and where.' }) },
    resolve: async (_root, { input }, { deps, actor }) => ({ delivery: await sendTestEvent(deps, actor(), input) }),
  }),
  replayFailedDeliveries: t.field({
    type: ReplayFailedDeliveriesPayload,
    nullable: true,
    description:
      "Sends an endpoint's failed deliveries once more, under their own ids and after what is live. Of those that wait for their next attempt the first is sent at once; when it succeeds, the others follow.",
    args: { input: t.arg({ type: ReplayFailedDeliveriesInput, required: true, description: 'Which ones.' }) },
    resolve: async (_root, { input }, { deps, actor }) => {
      const wanted = inputOf(ReplayFailed, omitNull(input))
      const { count, isComplete } = await replayFailedDeliveries(deps, actor(), wanted)
      return { replayedCount: count, isComplete }
    },
  }),
}))
