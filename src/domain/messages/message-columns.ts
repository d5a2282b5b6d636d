import { z } from 'zod'
import { MessageType } from '../../generated/prisma/enums.ts'
import { idText, instant, text } from '../shared/input.ts'

const AGENT_CHARACTERS = 20_000

/** Without the quotes. Keeps webhooks below 100 kB, a common limit of receivers. */
const AGENT_JSON_BYTES = 60_000

/** The text of an AGENT or BOT message, which can quote a whole question: 1 to 20,000 characters after trimming. */
export const AgentBody = text(AGENT_CHARACTERS).refine(
  (body) => Buffer.byteLength(JSON.stringify(body)) - 2 <= AGENT_JSON_BYTES,
  `must have at most ${AGENT_JSON_BYTES} bytes as JSON`,
)

const SenderName = text(100)

/**
 * The columns of a message that the APIs show as they are. Those that clients write are parsed by the same schemas: inputs
 * and answers of REST and GraphQL follow.
 */
export const MessageColumns = z.object({
  conversationId: idText.describe('The id of the conversation.'),
  type: z.enum(MessageType).describe('The type of the message.'),
  body: AgentBody.describe('The text of the message, 1 to 20,000 characters.'),
  senderId: idText
    .nullable()
    .describe('The id of the author: a visitor, member, agent or API key. Null when the message has no author.'),
  senderName: SenderName.nullable().describe(
    'The name under which the message was sent: the one that its client gave, else that of the author at the time. Null when there was none.',
  ),
  actorId: idText
    .nullable()
    .describe(
      'The id of the actor that added the message. For a message of a visitor, the API key, agent or member that submitted it. Null for old messages without this information.',
    ),
  sequence: z.int().min(1).describe('The position of the message in its conversation, starting at 1, without gaps.'),
  clientMessageId: text(100)
    .nullable()
    .describe('The id that the client of the sender gave the message. Null when it gave none.'),
  createdAt: instant.describe('The time when the message was sent.'),
})

/** The name that a sender asks for. */
export const GivenSenderName = SenderName.nullish().describe(
  'The display name, 1 to 100 characters. By default, the name of the author, or `AI Agent` for a BOT message that no installed agent sends. Ignored for AGENT and NOTE messages of an agent, which always have its own name.',
)
