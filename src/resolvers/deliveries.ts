import { listDeliveries, replayDelivery } from '../domain/deliveries.ts'
import { builder } from '../schema/builder.ts'
import { AFTER, FIRST, pageRequest, toConnection } from '../schema/connection.ts'
import { Delivery, DeliveryConnection, DeliveryFilterInput, ReplayDeliveryInput } from '../schema/delivery.ts'
import { mutationErrors } from '../schema/errors.ts'
import { given } from './input.ts'

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
