import { BUCKETS, type DeliveryStatsBucket as DeliveryStatsBucketOf } from '../domain/deliveries/delivery-stats.ts'
import type { EndpointStats as EndpointStatsOf } from '../domain/deliveries/endpoint-stats.ts'
import { Agent } from './agent.ts'
import { builder } from './builder.ts'
import { WebhookEndpoint } from './webhook-endpoint.ts'

const NEIGHBOURS = 'Null for the key of another agent.'

builder.prismaObjectFields(WebhookEndpoint, (t) => ({
  agent: t.relation('agent', { nullable: true, description: 'The agent that it belongs to.' }),
  successRate24h: t.float({
    nullable: true,
    description:
      'Of the deliveries of the last 24 hours that ended, the part that was delivered; null when none ended.',
    resolve: async ({ id }, _args, { loaders }) => (await loaders.endpointHealth.load(id))?.successRate ?? null,
  }),
  pendingCount: t.int({
    nullable: true,
    description: `Deliveries that are waiting or being sent. ${NEIGHBOURS}`,
    resolve: async ({ id }, _args, { loaders }) => (await loaders.endpointHealth.load(id))?.pending ?? null,
  }),
  failedCount: t.int({
    nullable: true,
    description: `Deliveries that failed for good, as long as they are kept. ${NEIGHBOURS}`,
    resolve: async ({ id }, _args, { loaders }) => (await loaders.endpointHealth.load(id))?.failed ?? null,
  }),
}))

builder.prismaObjectFields(Agent, (t) => ({
  lastSeenAt: t.field({
    type: 'DateTime',
    nullable: true,
    description: 'When its key was last used, to the minute; null before the first time.',
    resolve: async ({ id }, _args, { loaders }) => (await loaders.agentActivity.load(id))?.lastSeenAt ?? null,
  }),
  replyCount24h: t.int({
    nullable: true,
    description: `Messages that it wrote in the last 24 hours. ${NEIGHBOURS}`,
    resolve: async ({ id }, _args, { loaders }) => (await loaders.agentActivity.load(id))?.replies ?? null,
  }),
  errorRate24h: t.float({
    nullable: true,
    description:
      'Of the deliveries of the last 24 hours to its endpoints that ended, the part that failed; null when none ended.',
    resolve: async ({ id }, _args, { loaders }) => (await loaders.agentActivity.load(id))?.errorRate ?? null,
  }),
}))

export const StatsBucket = builder.enumType('StatsBucket', {
  description: 'Lengths of buckets.',
  values: Object.keys(BUCKETS) as (keyof typeof BUCKETS)[],
})

export const DeliveryStatsBucket = builder.objectRef<DeliveryStatsBucketOf>('DeliveryStatsBucket').implement({
  description:
    'What became of the deliveries whose events happened in a span of time. Times are in milliseconds, and null when there was nothing to measure.',
  fields: (t) => ({
    start: t.expose('start', { type: 'DateTime', description: 'When the span begins.' }),
    sent: t.exposeInt('sent', { description: 'Attempted at least once.' }),
    delivered: t.exposeInt('delivered', { description: 'Delivered.' }),
    failed: t.exposeInt('failed', { description: 'Failed for good.' }),
    pending: t.exposeInt('pending', { description: 'Waiting or being sent.' }),
    durationP50: t.exposeInt('durationP50', { nullable: true, description: 'Median duration of all their attempts.' }),
    durationP95: t.exposeInt('durationP95', { nullable: true, description: 'Of 95 % of them at most.' }),
    latencyP50: t.exposeInt('latencyP50', {
      nullable: true,
      description: 'Median time from the event to the first attempt.',
    }),
    latencyP95: t.exposeInt('latencyP95', { nullable: true, description: 'Of 95 % of them at most.' }),
  }),
})

export const EndpointStats = builder.objectRef<EndpointStatsOf>('EndpointStats').implement({
  description:
    'What became of the deliveries to one endpoint whose events happened in a span of time, in milliseconds.',
  fields: (t) => ({
    endpoint: t.field({ type: WebhookEndpoint, description: 'Which one.', resolve: ({ endpoint }) => endpoint }),
    delivered: t.exposeInt('delivered', { description: 'Delivered.' }),
    failed: t.exposeInt('failed', { description: 'Failed for good.' }),
    pending: t.exposeInt('pending', { description: 'Waiting or being sent.' }),
    durationP50: t.exposeInt('durationP50', { description: 'Median duration of all their attempts.' }),
    durationP95: t.exposeInt('durationP95', { description: 'Of 95 % of them at most.' }),
  }),
})
