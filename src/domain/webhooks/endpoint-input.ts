import { z } from 'zod'
import { EndpointOrdering } from '../../generated/prisma/enums.ts'
import { ValidationError } from '../shared/errors.ts'
import { changesSomething, clearableText, idText, instant, text } from '../shared/input.ts'
import { DEFAULT_RESUME_SECONDS, UNREGISTERED_RETENTION_MS } from './unregistered-endpoints.ts'
import { MAX_URL_LENGTH, normalizeWebhookUrl } from './webhook-url.ts'

/** The event types that an endpoint receives. Omitted flags keep their value; a new endpoint gets their defaults. */
export const EventFlags = z
  .object({
    onMessageCreated: z
      .boolean()
      .describe('Whether the endpoint receives message.created. New endpoints: true by default.'),
    onConversationCreated: z
      .boolean()
      .describe('Whether the endpoint receives conversation.created. New endpoints: true by default.'),
    onConversationClosed: z
      .boolean()
      .describe('Whether the endpoint receives conversation.closed. New endpoints: false by default.'),
    onConversationAssigned: z
      .boolean()
      .describe('Whether the endpoint receives conversation.assigned. New endpoints: false by default.'),
  })
  .partial()

export const DEFAULT_FLAGS = {
  onMessageCreated: true,
  onConversationCreated: true,
  onConversationClosed: false,
  onConversationAssigned: false,
} as const

const Url = text(MAX_URL_LENGTH).describe(
  `The URL that receives the events, at most ${MAX_URL_LENGTH} characters. Production requires https.`,
)

export const MAX_IN_FLIGHT = 100

/** Why an endpoint was disabled other than by somebody. */
const DISABLED_REASONS = ['gone', 'failing'] as const
export type DisabledReason = (typeof DISABLED_REASONS)[number]

/**
 * The columns of an endpoint that the APIs show as they are. Those that clients write are parsed by the same schemas: inputs
 * and answers of REST and GraphQL follow.
 */
export const EndpointColumns = z.object({
  url: Url,
  description: clearableText(500).describe('The description, at most 500 characters.'),
  agentId: idText.nullable().describe('The id of the agent that the endpoint belongs to. Null when there is none.'),
  isEnabled: z
    .boolean()
    .describe(
      'Whether the endpoint is enabled. Events are only sent to enabled endpoints; enabling it resumes its pending deliveries.',
    ),
  disabledReason: z
    .enum(DISABLED_REASONS)
    .nullable()
    .describe(
      'The reason why the endpoint was disabled automatically. Null when it is enabled, or was disabled on request.',
    ),
  maxInFlight: z.int().min(1).max(MAX_IN_FLIGHT).describe('The maximum number of concurrent requests, 1 to 100.'),
  ordering: z.enum(EndpointOrdering).describe('The order of events after a failed attempt.'),
  failingSince: instant
    .nullable()
    .describe('The time of the first failed attempt since the last success. Null when the last attempt succeeded.'),
  consecutiveFailures: z.int().min(0).describe('The number of failed attempts since the last success.'),
  lastSuccessAt: instant.nullable().describe('The time of the last successful attempt. Null when there was none.'),
  lastFailureAt: instant.nullable().describe('The time of the last failed attempt. Null when there was none.'),
  createdAt: instant.describe('The time when the endpoint was registered.'),
  updatedAt: instant.describe('The time of the latest change of its settings. Results of deliveries do not count.'),
})

const { url, description, isEnabled, maxInFlight, ordering } = EndpointColumns.shape
const events = EventFlags.describe('The event types that the endpoint receives.')

/** The input of REST, which has no settings. */
export const RegisterEndpoint = z.object({
  url,
  description: description.optional(),
  events: events.optional(),
  resumeWithinSeconds: z
    .int()
    .min(0)
    .max(UNREGISTERED_RETENTION_MS / 1000)
    .default(DEFAULT_RESUME_SECONDS)
    .describe(
      'The maximum age in seconds of the events that an unregistered endpoint receives when it resumes, 0 to 86,400. 3,600 by default.',
    ),
})

/** With how the endpoint is served. */
export const CreateEndpoint = RegisterEndpoint.extend({
  maxInFlight: maxInFlight.optional().describe('The maximum number of concurrent requests, 1 to 100. 10 by default.'),
  ordering: ordering.optional().describe('The order of events after a failed attempt. RELAXED by default.'),
})

export const EndpointPatch = z
  .object({ url, description, isEnabled, events, maxInFlight, ordering })
  .partial()
  .refine(...changesSomething)

export const EndpointRef = z
  .object({
    url: Url.describe('The URL of the endpoint. Required without endpointId.'),
    endpointId: idText.describe('The id of the endpoint. Required without url.'),
  })
  .partial()
  .refine(({ url, endpointId }) => url !== undefined || endpointId !== undefined, 'must have url or endpointId')

/** The condition for the named endpoint. @throws ValidationError for both url and endpointId, and for an invalid URL */
export function endpointNamed({ url, endpointId }: z.output<typeof EndpointRef>): { id: string } | { url: string } {
  if (url === undefined) return { id: endpointId ?? '' }
  if (endpointId === undefined) return { url: normalizeWebhookUrl(url) }
  throw new ValidationError([{ path: '', message: 'Send either url or endpointId, not both' }])
}
