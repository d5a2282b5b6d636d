import type { BUCKETS, DeliveryStatsBucket as DeliveryStatsBucketOf } from '../domain/deliveries/delivery-stats.ts'
import type { EndpointStats as EndpointStatsOf } from '../domain/deliveries/endpoint-stats.ts'
import { Agent } from './agent.ts'
import { builder } from './builder.ts'
import { WebhookEndpoint } from './webhook-endpoint.ts'

const NEIGHBOURS = 'Null for the key of another agent.'

builder.prismaObjectFields(WebhookEndpoint, (t) => ({
  agent: t.relation('agent', {
    nullable: true,
    description: 'The agent that the endpoint belongs to. Null when there is none.',
  }),
  successRate24h: t.float({
    nullable: true,
    description:
      'The share of successful deliveries among those that finished in the last 24 hours, from 0 to 1. Null when there was none.',
    resolve: async ({ id }, _args, { loaders }) => (await loaders.endpointHealth.load(id))?.successRate ?? null,
  }),
  pendingCount: t.int({
    nullable: true,
    description: `The number of pending deliveries. ${NEIGHBOURS}`,
    resolve: async ({ id }, _args, { loaders }) => (await loaders.endpointHealth.load(id))?.pending ?? null,
  }),
  failedCount: t.int({
    nullable: true,
    description: `The number of failed deliveries that are still stored. ${NEIGHBOURS}`,
    resolve: async ({ id }, _args, { loaders }) => (await loaders.endpointHealth.load(id))?.failed ?? null,
  }),
}))

builder.prismaObjectFields(Agent, (t) => ({
  lastSeenAt: t.field({
    type: 'DateTime',
    nullable: true,
    description:
      'The time of the latest request with the API key of the agent, to the minute. Null when there was none.',
    resolve: async ({ id }, _args, { loaders }) => (await loaders.agentActivity.load(id))?.lastSeenAt ?? null,
  }),
  replyCount24h: t.int({
    nullable: true,
    description: `The number of messages that the agent sent in the last 24 hours. ${NEIGHBOURS}`,
    resolve: async ({ id }, _args, { loaders }) => (await loaders.agentActivity.load(id))?.replies ?? null,
  }),
  successRate24h: t.float({
    nullable: true,
    description:
      'The share of successful deliveries among those to the agent that finished in the last 24 hours, from 0 to 1. Null when there was none.',
    resolve: async ({ id }, _args, { loaders }) => (await loaders.agentActivity.load(id))?.successRate ?? null,
  }),
}))

export const StatsBucket = builder.enumType('StatsBucket', {
  description: 'The length of an interval of delivery statistics.',
  values: {
    MINUTE: { description: 'Intervals of one minute.' },
    HOUR: { description: 'Intervals of one hour.' },
    DAY: { description: 'Intervals of one day, in UTC.' },
  } as const satisfies Record<keyof typeof BUCKETS, { description: string }>,
})

export const DeliveryStatsBucket = builder.objectRef<DeliveryStatsBucketOf>('DeliveryStatsBucket').implement({
  description:
    'Statistics of the deliveries of events that happened in one interval. Test events and skipped deliveries are not counted.',
  fields: (t) => ({
    start: t.expose('start', { type: 'DateTime', description: 'The start of the interval.' }),
    sent: t.exposeInt('sent', { description: 'The number of deliveries with at least one attempt.' }),
    delivered: t.exposeInt('delivered', { description: 'The number of successful deliveries.' }),
    failed: t.exposeInt('failed', { description: 'The number of failed deliveries.' }),
    pending: t.exposeInt('pending', { description: 'The number of pending deliveries.' }),
    durationP50Ms: t.exposeInt('durationP50Ms', {
      nullable: true,
      description: 'The median duration of the attempts, in milliseconds. Null when there was no attempt.',
    }),
    durationP95Ms: t.exposeInt('durationP95Ms', {
      nullable: true,
      description:
        'The 95th percentile of the duration of the attempts, in milliseconds. Null when there was no attempt.',
    }),
    latencyP50Ms: t.exposeInt('latencyP50Ms', {
      nullable: true,
      description:
        'The median time from the event to the first attempt, in milliseconds. Null when there was no attempt.',
    }),
    latencyP95Ms: t.exposeInt('latencyP95Ms', {
      nullable: true,
      description:
        'The 95th percentile of the time from the event to the first attempt, in milliseconds. Null when there was no attempt.',
    }),
  }),
})

export const EndpointStats = builder.objectRef<EndpointStatsOf>('EndpointStats').implement({
  description:
    'Statistics of the deliveries to one webhook endpoint. Test events and skipped deliveries are not counted.',
  fields: (t) => ({
    endpoint: t.field({
      type: WebhookEndpoint,
      description: 'The webhook endpoint.',
      resolve: ({ endpoint }) => endpoint,
    }),
    delivered: t.exposeInt('delivered', { description: 'The number of successful deliveries.' }),
    failed: t.exposeInt('failed', { description: 'The number of failed deliveries.' }),
    pending: t.exposeInt('pending', { description: 'The number of pending deliveries.' }),
    durationP50Ms: t.exposeInt('durationP50Ms', {
      description: 'The median duration of the attempts, in milliseconds.',
    }),
    durationP95Ms: t.exposeInt('durationP95Ms', {
      description: 'The 95th percentile of the duration of the attempts, in milliseconds.',
    }),
  }),
})
