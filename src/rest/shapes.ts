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
  .meta({ id: 'EventFlags', description: 'Which events an endpoint receives.' })

export const Workspace = z
  .object({
    id: ids.workspace,
    name: z.string(),
    slug: z.string(),
    plan: z.enum(Plan),
    createdAt: Time,
    updatedAt: Time,
  })
  .meta({ id: 'Workspace' })

export const WorkspaceWithMembers = Workspace.extend({
  members: z
    .array(z.object({ id: ids.member, name: z.string(), role: z.enum(MemberRole) }))
    .describe('Longest here first. Their ids are what assigneeId takes.'),
}).meta({ id: 'WorkspaceWithMembers' })

export const ConversationSummary = z
  .object({
    id: ids.conversation,
    status: z.enum(ConversationStatus),
    channel: z.enum(Channel),
    subject: NullableText,
    priority: z.int().min(0).max(3),
    tags: z.array(z.string()),
    assigneeId: ids.member.nullable(),
    lastMessageAt: Time.nullable(),
    lastMessagePreview: NullableText.describe('The first 100 characters.'),
    messageCount: z.int().min(0),
    snoozedUntil: Time.nullable(),
    metadata: Json,
    createdAt: Time,
    updatedAt: Time,
    closedAt: Time.nullable(),
  })
  .meta({ id: 'ConversationSummary', description: 'A conversation without the people in it.' })

export const Conversation = ConversationSummary.extend({
  assignee: z.object({ id: ids.member, name: z.string() }).nullable(),
  visitor: z.object({ id: ids.visitor, name: NullableText, email: NullableText, avatarUrl: NullableText }),
}).meta({ id: 'Conversation' })

export const Message = z
  .object({
    id: ids.message,
    conversationId: ids.conversation,
    type: z.enum(MessageType),
    body: z.string(),
    senderId: NullableText.describe('A visitor, agent, API key or member.'),
    senderName: NullableText,
    actorId: NullableText.describe(
      "Who added it: for a visitor's message, the key that passed it on. Null for messages before that was kept.",
    ),
    sequence: z.int().min(1).describe("Counts the conversation's messages from 1, without gaps."),
    createdAt: Time,
  })
  .meta({ id: 'Message' })

export const Customer = z
  .object({
    id: ids.visitor,
    ...answerFields(VisitorInput.shape),
    createdAt: Time,
    updatedAt: Time,
  })
  .meta({ id: 'Customer' })

export const CustomerWithConversations = Customer.extend({
  conversations: z.array(ConversationSummary).describe('The 10 with the latest activity.'),
}).meta({ id: 'CustomerWithConversations' })

export const InstalledEndpoint = z.object({
  id: ids.endpoint,
  url: z.string(),
  isEnabled: z.boolean(),
  events: EventFlags,
})

export const Agent = z
  .object({
    id: ids.agent,
    ...answerFields(AgentProfile.shape),
    type: z.enum(AgentType),
    isEnabled: z.boolean(),
    installedAt: Time,
    updatedAt: Time,
    webhookEndpoint: InstalledEndpoint.nullable(),
  })
  .meta({ id: 'Agent' })

export const InstalledAgent = Agent.extend({
  credentials: z
    .object({ webhookSecret: z.string(), apiKey: z.string() })
    .describe('Shown in this answer only: keep both.'),
}).meta({ id: 'InstalledAgent' })

export const ArticleSummary = z
  .object({
    id: ids.article,
    title: z.string(),
    slug: z.string(),
    excerpt: NullableText,
    collectionId: ids.collection.nullable(),
    isPublished: z.boolean(),
    publishedAt: Time.nullable(),
    createdAt: Time,
    updatedAt: Time,
  })
  .meta({ id: 'ArticleSummary', description: 'An article without its body.' })

export const ListedArticle = ArticleSummary.extend({
  body: z.string().optional().describe('Markdown; with include=body.'),
}).meta({ id: 'ListedArticle', description: 'An article; without its body, unless that was asked for.' })

export const Article = ArticleSummary.extend({ body: z.string().describe('Markdown.') }).meta({ id: 'Article' })

export const WebhookEndpoint = z
  .object({
    id: ids.endpoint,
    url: z.string(),
    description: NullableText,
    agentId: ids.agent.nullable(),
    isEnabled: z.boolean(),
    disabledReason: NullableText.describe('gone, failing, or null.'),
    events: EventFlags,
    createdAt: Time,
    updatedAt: Time,
  })
  .meta({ id: 'WebhookEndpoint' })

export const Registration = z
  .object({
    status: z.enum(['created', 'exists']),
    resumed: z.literal(true).optional().describe('It was unregistered, and is the same endpoint again.'),
    endpoint: z.object({
      id: ids.endpoint,
      url: z.string(),
      secret: z.string().describe('64 lower-case hex characters.'),
      nextSecret: z.string().optional().describe('While the secret is being rotated: the one that follows.'),
      secretEndsAt: Time.optional().describe('While the secret is being rotated: when the next one takes over.'),
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
  .meta({ id: 'ReplyResult', description: 'The message that was written, or why none was.' })

export const Done = z.object({ ok: z.literal(true) }).meta({ id: 'Done' })
export const Deleted = z.object({ deleted: z.literal(true) }).meta({ id: 'Deleted' })
