import { z } from 'zod'
import { EndpointOrdering } from '../../generated/prisma/enums.ts'
import { ValidationError } from '../shared/errors.ts'
import { changesSomething, clearableText, idText, text } from '../shared/input.ts'
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
const Description = clearableText(500).describe('The description, at most 500 characters. Null for none.')

export const MAX_IN_FLIGHT = 100

/** How events are sent to an endpoint. */
const Settings = z
  .object({ maxInFlight: z.int().min(1).max(MAX_IN_FLIGHT), ordering: z.enum(EndpointOrdering) })
  .partial()

/** The input of REST, which has no settings. */
export const RegisterEndpoint = z.object({
  url: Url,
  description: Description.optional(),
  events: EventFlags.optional().describe('The event types that the endpoint receives.'),
  resumeWithinSeconds: z
    .int()
    .min(0)
    .max(UNREGISTERED_RETENTION_MS / 1000)
    .default(DEFAULT_RESUME_SECONDS)
    .describe('The maximum age in seconds of the events that an unregistered endpoint receives when it resumes.'),
})

export const CreateEndpoint = RegisterEndpoint.extend(Settings.shape)

export const EndpointPatch = z
  .object({ url: Url, description: Description, isEnabled: z.boolean(), events: EventFlags })
  .extend(Settings.shape)
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
