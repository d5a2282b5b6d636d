import { z } from 'zod'
import { EndpointOrdering } from '../../generated/prisma/enums.ts'
import { ValidationError } from '../shared/errors.ts'
import { changesSomething, clearableText, idText, text } from '../shared/input.ts'
import { DEFAULT_RESUME_SECONDS, UNREGISTERED_RETENTION_MS } from './unregistered-endpoints.ts'
import { MAX_URL_LENGTH, normalizeWebhookUrl } from './webhook-url.ts'

/** Which events an endpoint receives. Flags left out keep their value, or their default on a new endpoint. */
export const EventFlags = z
  .object({
    onMessageCreated: z.boolean(),
    onConversationCreated: z.boolean(),
    onConversationClosed: z.boolean(),
    onConversationAssigned: z.boolean(),
  })
  .partial()

export const DEFAULT_FLAGS = {
  onMessageCreated: true,
  onConversationCreated: true,
  onConversationClosed: false,
  onConversationAssigned: false,
} as const

const Url = text(MAX_URL_LENGTH)

export const MAX_IN_FLIGHT = 100

/** How an endpoint is served. */
const Settings = z
  .object({ maxInFlight: z.int().min(1).max(MAX_IN_FLIGHT), ordering: z.enum(EndpointOrdering) })
  .partial()

/** What REST registers; its clients have no settings. */
export const RegisterEndpoint = z.object({
  url: Url,
  description: clearableText(500).optional(),
  events: EventFlags.optional(),
  /** When it is registered again after it was unregistered: how long ago the events may have happened that it is sent. */
  resumeWithinSeconds: z
    .int()
    .min(0)
    .max(UNREGISTERED_RETENTION_MS / 1000)
    .default(DEFAULT_RESUME_SECONDS),
})

export const CreateEndpoint = RegisterEndpoint.extend(Settings.shape)

export const EndpointPatch = z
  .object({ url: Url, description: clearableText(500), isEnabled: z.boolean(), events: EventFlags })
  .extend(Settings.shape)
  .partial()
  .refine(...changesSomething)

export const EndpointRef = z
  .object({ url: Url, endpointId: idText })
  .partial()
  .refine(({ url, endpointId }) => url !== undefined || endpointId !== undefined, 'must have url or endpointId')

/** Which endpoint is meant. @throws ValidationError when both are given, and for a URL that cannot be one */
export function endpointNamed({ url, endpointId }: z.output<typeof EndpointRef>): { id: string } | { url: string } {
  if (url === undefined) return { id: endpointId ?? '' }
  if (endpointId === undefined) return { url: normalizeWebhookUrl(url) }
  throw new ValidationError([{ path: '', message: 'Send either url or endpointId, not both' }])
}
