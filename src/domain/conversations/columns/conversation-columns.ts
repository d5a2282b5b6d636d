import { z } from 'zod'
import { Channel, ConversationStatus } from '../../../generated/prisma/enums.ts'
import { idText, instant, text } from '../../shared/input.ts'
import { ConversationDetails } from './conversation-details.ts'

export const MAX_TAGS = 50
export const TOO_MANY_TAGS = `must have at most ${MAX_TAGS} tags`

/** Tags, each once. */
export const Tags = z
  .array(text(50))
  .transform((tags) => [...new Set(tags)])
  .refine((tags) => tags.length <= MAX_TAGS, TOO_MANY_TAGS)

/**
 * The columns of a conversation that the APIs show as they are. Those that clients write are parsed by the same schemas:
 * inputs and answers of REST and GraphQL follow.
 */
export const ConversationColumns = z.object({
  ...ConversationDetails.shape,
  status: z.enum(ConversationStatus).describe('The state of the conversation.'),
  channel: z.enum(Channel).describe('The channel through which the conversation was started.'),
  priority: z.int().min(0).max(3).describe('The priority, from 0 (normal) to 3 (urgent).'),
  tags: Tags.describe('The tags, at most 50 of 1 to 50 characters.'),
  assigneeId: idText.nullable().describe('The id of the assigned member. Null when the conversation is unassigned.'),
  lastMessageAt: instant
    .nullable()
    .describe('The time of the latest VISITOR, AGENT or BOT message. Null when there is none.'),
  lastMessagePreview: text(100)
    .nullable()
    .describe('The first 100 characters of the latest VISITOR, AGENT or BOT message. Null when there is none.'),
  lastActivityAt: instant.describe(
    'The time of the latest VISITOR, AGENT or BOT message, or of the start of the conversation. By default, lists are sorted by it.',
  ),
  messageCount: z.int().min(0).describe('The number of messages of all types, including notes and system entries.'),
  snoozedUntil: instant
    .nullable()
    .describe(
      'The time when a snoozed conversation reopens. Null when it is not snoozed, or snoozed until the visitor writes.',
    ),
  createdAt: instant.describe('The time when the conversation was started.'),
  updatedAt: instant.describe('The time of the latest change or message.'),
  closedAt: instant.nullable().describe('The time when the conversation was closed. Null unless it is closed.'),
})
