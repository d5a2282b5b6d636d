import { z } from 'zod'
import { AgentProfile } from '../domain/agents/agent-profile.ts'
import { type Field, fieldOf } from '../domain/shared/field.ts'
import { VisitorInput } from '../domain/visitors/visitors.ts'
import { AgentType, Channel, ConversationStatus, MemberRole, MessageType, Plan } from '../generated/prisma/enums.ts'

/**
 * What answers look like, as the OpenAPI document says it. Every answer that a REST test gets is checked against it, so
 * that a field which is shown and not written down here fails, and the other way round.
 */

/** Without a `z.date()`: an answer's times are text by the time that they are sent. */
const Time = z.string().meta({ format: 'date-time' })
const createdAt = Time.describe('When the object was created.')
const updatedAt = Time.describe('When the object was last changed.')
const NullableText = z.string().nullable()
const Json = z.record(z.string(), z.unknown())
const id = (prefix: string) => z.string().meta({ pattern: `^${prefix}_[0-9a-z]{26}$` })
const ids = {
  workspace: id('ws'),
  member: id('mem'),
  visitor: id('vis'),
  conversation: id('conv'),
  message: id('msg'),
  agent: id('agt'),
  endpoint: id('whk'),
  article: id('art'),
  collection: id('col'),
}

type Shape = Readonly<Record<string, z.ZodType>>

/**
 * Turns a row into an answer: the fields of the shape and no others, so that a new column does not become public by
 * accident. Times become text when the answer is written.
 */
export function shown<S extends Shape>(shape: z.ZodObject<S>): (row: { readonly [K in keyof S]: unknown }) => object {
  const keys: (keyof S)[] = Object.keys(shape.shape)
  return (row) => Object.fromEntries(keys.map((key) => [key, row[key]]))
}

const ANSWERS: Partial<Record<Field['kind'], z.ZodType>> = {
  text: z.string(),
  url: z.string(),
  integer: z.int(),
  boolean: z.boolean(),
  time: Time,
  json: Json,
}

/** Answers' fields for columns, from the zod shape that parses their input. */
function answerFields<S extends Shape>(shape: S): { [K in keyof S]: z.ZodType } {
  const fields = Object.entries(shape).map(([name, schema]) => {
    const { kind, isNullable, description } = fieldOf(schema)
    const answer = ANSWERS[kind]
    if (answer === undefined || description === undefined)
      throw new TypeError(`No answer follows from the schema of ${name}`)
    return [name, (isNullable ? answer.nullable() : answer).describe(description)]
  })
  return Object.fromEntries(fields)
}

export const EventFlags = z
  .object({
    onMessageCreated: z.boolean(),
    onConversationCreated: z.boolean(),
    onConversationClosed: z.boolean(),
    onConversationAssigned: z.boolean(),
  })
  .meta({ id: 'EventFlags', description: 'The events that an endpoint receives.' })

export const Workspace = z
  .object({
    id: ids.workspace.describe('The ID of the workspace.'),
    name: z.string().describe('The name.'),
    slug: z.string().describe('The unique short name, used in links.'),
    plan: z.enum(Plan).describe('The plan.'),
    createdAt,
    updatedAt,
  })
  .meta({ id: 'Workspace' })

export const WorkspaceWithMembers = Workspace.extend({
  members: z
    .array(z.object({ id: ids.member, name: z.string(), role: z.enum(MemberRole) }))
    .describe('The members, longest-standing first. Pass their IDs as assigneeId.'),
}).meta({ id: 'WorkspaceWithMembers' })

export const ConversationSummary = z
  .object({
    id: ids.conversation.describe('The ID of the conversation.'),
    status: z.enum(ConversationStatus).describe('The status.'),
    channel: z.enum(Channel).describe('The channel that the conversation started on.'),
    subject: NullableText.describe('The subject. Null without one.'),
    priority: z.int().min(0).max(3).describe('The priority, from 0 (normal) to 3 (urgent).'),
    tags: z.array(z.string()).describe('The tags.'),
    assigneeId: ids.member.nullable().describe('The ID of the assigned member. Null if unassigned.'),
    lastMessageAt: Time.nullable().describe('When the last message was created. Null without messages.'),
    lastMessagePreview: NullableText.describe('The first 100 characters of the last message. Null without messages.'),
    messageCount: z.int().min(0).describe('The number of messages.'),
    snoozedUntil: Time.nullable().describe('When the conversation reopens. Null unless snoozed.'),
    metadata: Json.describe('Custom JSON data.'),
    createdAt,
    updatedAt,
    closedAt: Time.nullable().describe('When the conversation was closed. Null unless closed.'),
  })
  .meta({ id: 'ConversationSummary', description: 'A conversation without its assignee and visitor.' })

export const Conversation = ConversationSummary.extend({
  assignee: z
    .object({ id: ids.member, name: z.string() })
    .nullable()
    .describe('The assigned member. Null if unassigned.'),
  visitor: z
    .object({ id: ids.visitor, name: NullableText, email: NullableText, avatarUrl: NullableText })
    .describe('The customer.'),
}).meta({ id: 'Conversation' })

export const Message = z
  .object({
    id: ids.message.describe('The ID of the message.'),
    conversationId: ids.conversation.describe('The ID of the conversation.'),
    type: z.enum(MessageType).describe('The type.'),
    body: z.string().describe('The text.'),
    senderId: NullableText.describe(
      'The ID of the visitor, agent, API key or member who wrote the message. Null for system messages.',
    ),
    senderName: NullableText.describe('The display name of the sender. Null without one.'),
    actorId: NullableText.describe(
      "The ID of the caller that created the message: for a visitor's message, the API key. Null for old messages.",
    ),
    sequence: z.int().min(1).describe('The position of the message in its conversation, from 1, without gaps.'),
    createdAt,
  })
  .meta({ id: 'Message' })

export const Customer = z
  .object({
    id: ids.visitor.describe('The ID of the customer.'),
    ...answerFields(VisitorInput.shape),
    createdAt,
    updatedAt,
  })
  .meta({ id: 'Customer' })

export const CustomerWithConversations = Customer.extend({
  conversations: z.array(ConversationSummary).describe('The 10 most recently active conversations.'),
}).meta({ id: 'CustomerWithConversations' })

export const InstalledEndpoint = z.object({
  id: ids.endpoint.describe('The ID of the endpoint.'),
  url: z.string().describe('The URL that receives events.'),
  isEnabled: z.boolean().describe('Whether the endpoint is enabled.'),
  events: EventFlags,
})

export const Agent = z
  .object({
    id: ids.agent.describe('The ID of the agent.'),
    ...answerFields(AgentProfile.shape),
    type: z.enum(AgentType).describe('The type.'),
    isEnabled: z.boolean().describe('Whether the agent is enabled.'),
    installedAt: Time.describe('When the agent was installed.'),
    updatedAt,
    webhookEndpoint: InstalledEndpoint.nullable().describe('The webhook endpoint. Null without one.'),
  })
  .meta({ id: 'Agent' })

export const InstalledAgent = Agent.extend({
  credentials: z
    .object({ webhookSecret: z.string(), apiKey: z.string() })
    .describe('The webhook secret and the API key. Only this response contains them: store both.'),
}).meta({ id: 'InstalledAgent' })

export const ArticleSummary = z
  .object({
    id: ids.article.describe('The ID of the article.'),
    title: z.string().describe('The title.'),
    slug: z.string().describe('The part of the URL that names the article, unique in the workspace.'),
    excerpt: NullableText.describe('The summary. Null without one.'),
    collectionId: ids.collection.nullable().describe('The ID of the collection. Null without one.'),
    isPublished: z.boolean().describe('Whether the article is published.'),
    publishedAt: Time.nullable().describe('When the article was published. Null unless published.'),
    createdAt,
    updatedAt,
  })
  .meta({ id: 'ArticleSummary', description: 'An article without its body.' })

export const ListedArticle = ArticleSummary.extend({
  body: z.string().optional().describe('The text in Markdown. Present only with include=body.'),
}).meta({ id: 'ListedArticle', description: 'An article. The body is present only with include=body.' })

export const Article = ArticleSummary.extend({ body: z.string().describe('The text in Markdown.') }).meta({
  id: 'Article',
})

export const WebhookEndpoint = z
  .object({
    id: ids.endpoint.describe('The ID of the endpoint.'),
    url: z.string().describe('The URL that receives events.'),
    description: NullableText.describe('The description. Null without one.'),
    agentId: ids.agent.nullable().describe('The ID of the agent that owns the endpoint. Null without one.'),
    isEnabled: z.boolean().describe('Whether the endpoint is enabled.'),
    disabledReason: NullableText.describe('Why GudDesk disabled the endpoint: gone or failing. Null otherwise.'),
    events: EventFlags,
    createdAt,
    updatedAt,
  })
  .meta({ id: 'WebhookEndpoint' })

export const Registration = z
  .object({
    status: z.enum(['created', 'exists']).describe('Whether the endpoint was created or existed.'),
    resumed: z
      .literal(true)
      .optional()
      .describe('Present and true if the endpoint had been unregistered and is active again.'),
    endpoint: z.object({
      id: ids.endpoint,
      url: z.string(),
      secret: z.string().describe('The signing secret: 64 lowercase hexadecimal characters.'),
      nextSecret: z.string().optional().describe('The next signing secret. Present only during a rotation.'),
      secretEndsAt: Time.optional().describe(
        'When the next secret replaces the current one. Present only during a rotation.',
      ),
      isEnabled: z.boolean(),
      events: EventFlags,
    }),
  })
  .meta({ id: 'Registration' })

export const ReplyResult = z
  .union([
    z.object({ messageId: ids.message, conversationId: ids.conversation }),
    z.object({
      skipped: z.literal(true),
      reason: z.enum(['conversation_assigned', 'conversation_closed']),
      conversationId: ids.conversation,
    }),
  ])
  .meta({ id: 'ReplyResult', description: 'The message that was created, or the reason why it was skipped.' })

export const Done = z.object({ ok: z.literal(true) }).meta({ id: 'Done' })
export const Deleted = z.object({ deleted: z.literal(true) }).meta({ id: 'Deleted' })
