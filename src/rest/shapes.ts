import { z } from 'zod'
import { AgentProfile, privacyNote } from '../domain/agents/agent-profile.ts'
import { ConversationColumns } from '../domain/conversations/columns/conversation-columns.ts'
import { WorkspaceColumns } from '../domain/identity/workspaces.ts'
import { MessageColumns } from '../domain/messages/message-columns.ts'
import { SKIP_REASONS } from '../domain/messages/reply.ts'
import { answerDescription, type Field, fieldOf } from '../domain/shared/field.ts'
import { VisitorInput } from '../domain/visitors/visitors.ts'
import { EndpointColumns } from '../domain/webhooks/endpoint-input.ts'
import { AgentType, MemberRole } from '../generated/prisma/enums.ts'

/**
 * The shapes of all responses, from which the OpenAPI document is generated. The tests check every response against its
 * shape: an undocumented field fails, and so does a missing one.
 */

/** Not `z.date()`: in a response, times are text. */
const Time = z.string().meta({ format: 'date-time' })
const createdAt = Time.describe('The time of creation.')
const updatedAt = Time.describe('The time of the last change.')
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
 * Picks the fields of a shape from a row, so that a new column does not become public by accident. Times become text when the
 * response is serialized.
 */
export function shown<S extends Shape>(shape: z.ZodObject<S>): (row: { readonly [K in keyof S]: unknown }) => object {
  const keys: (keyof S)[] = Object.keys(shape.shape)
  return (row) => Object.fromEntries(keys.map((key) => [key, row[key]]))
}

const SCHEMAS: Record<Exclude<Field['kind'], 'enum' | 'other'>, z.ZodType> = {
  text: z.string(),
  url: z.string(),
  integer: z.int(),
  boolean: z.boolean(),
  time: Time,
  json: Json,
}

/**
 * Fields of a response, from the zod shape that parses the same fields in requests.
 * @param schemas of the fields that say more than the kind of their value, such as ids
 * @param note what null means, where the shape does not say it
 */
function responseFields<S extends Shape>(
  shape: S,
  schemas: { readonly [K in keyof S]?: z.ZodType } = {},
  note?: (field: Field) => string,
): { [K in keyof S]: z.ZodType } {
  const fields = Object.entries(shape).map(([name, schema]) => {
    const field = fieldOf(schema)
    const response = schemas[name] ?? responseOf(name, field)
    return [name, response.describe(answerDescription(field, note?.(field)))]
  })
  return Object.fromEntries(fields)
}

function responseOf(name: string, { kind, values, isList, isNullable, description }: Field): z.ZodType {
  if (kind === 'other' || description === undefined)
    throw new TypeError(`No response follows from the schema of ${name}`)
  const value = kind === 'enum' ? z.enum(values) : SCHEMAS[kind]
  const response = isList ? z.array(value) : value
  return isNullable ? response.nullable() : response
}

export const EventFlags = z
  .object({
    onMessageCreated: z.boolean().describe('Whether the endpoint receives message.created.'),
    onConversationCreated: z.boolean().describe('Whether the endpoint receives conversation.created.'),
    onConversationClosed: z.boolean().describe('Whether the endpoint receives conversation.closed.'),
    onConversationAssigned: z.boolean().describe('Whether the endpoint receives conversation.assigned.'),
  })
  .meta({ id: 'EventFlags', description: 'The event types that a webhook endpoint receives.' })

export const Workspace = z
  .object({
    id: ids.workspace.describe('The id of the workspace.'),
    ...responseFields(WorkspaceColumns.shape),
  })
  .meta({ id: 'Workspace', description: 'A workspace, without its members.' })

export const WorkspaceWithMembers = Workspace.extend({
  members: z
    .array(
      z.object({
        id: ids.member.describe('The id of the member.'),
        name: z.string().describe('The name of the person.'),
        role: z.enum(MemberRole).describe('The role of the member in the workspace.'),
      }),
    )
    .describe('The members, longest-standing first. Pass their ids as assigneeId.'),
}).meta({ id: 'WorkspaceWithMembers', description: 'A workspace with its members.' })

export const ConversationSummary = z
  .object({
    id: ids.conversation.describe('The id of the conversation.'),
    ...responseFields(ConversationColumns.omit({ lastActivityAt: true }).shape, {
      priority: z.int().min(0).max(3),
      assigneeId: ids.member.nullable(),
      messageCount: z.int().min(0),
    }),
  })
  .meta({ id: 'ConversationSummary', description: 'A conversation, without the names of its assignee and customer.' })

export const Conversation = ConversationSummary.extend({
  assignee: z
    .object({ id: ids.member.describe('The id of the member.'), name: z.string().describe('The name of the person.') })
    .nullable()
    .describe('The assigned member. Null if unassigned.'),
  visitor: z
    .object({
      id: ids.visitor.describe('The id of the customer.'),
      ...responseFields(VisitorInput.pick({ name: true, email: true, avatarUrl: true }).shape),
    })
    .describe('The customer in the conversation.'),
}).meta({ id: 'Conversation', description: 'A conversation with its assignee and customer.' })

export const Message = z
  .object({
    id: ids.message.describe('The id of the message.'),
    ...responseFields(MessageColumns.omit({ clientMessageId: true }).shape, {
      conversationId: ids.conversation,
      sequence: z.int().min(1),
    }),
  })
  .meta({ id: 'Message', description: 'A message or note in a conversation.' })

export const Customer = z
  .object({
    id: ids.visitor.describe('The id of the customer.'),
    ...responseFields(VisitorInput.shape),
    createdAt,
    updatedAt,
  })
  .meta({ id: 'Customer', description: 'A customer; GraphQL and the payloads of events call it visitor.' })

export const CustomerWithConversations = Customer.extend({
  conversations: z.array(ConversationSummary).describe('The 10 most recently active conversations.'),
}).meta({ id: 'CustomerWithConversations', description: 'A customer with their most recently active conversations.' })

export const InstalledEndpoint = z.object({
  id: ids.endpoint.describe('The id of the endpoint.'),
  ...responseFields(EndpointColumns.pick({ url: true, isEnabled: true }).shape),
  events: EventFlags,
})

export const Agent = z
  .object({
    id: ids.agent.describe('The id of the agent.'),
    ...responseFields(AgentProfile.shape, {}, privacyNote),
    type: z.enum(AgentType).describe('The origin of the agent.'),
    isEnabled: z.boolean().describe('Whether the agent is enabled: it receives events and its API key works.'),
    installedAt: Time.describe('The time when the agent was installed.'),
    updatedAt,
    webhookEndpoint: InstalledEndpoint.nullable().describe(
      'The first webhook endpoint of the agent. Null without one, and for other agents.',
    ),
  })
  .meta({ id: 'Agent', description: 'An agent, as the caller can see it.' })

export const InstalledAgent = Agent.extend({
  credentials: z
    .object({
      webhookSecret: z
        .string()
        .describe('The signing secret of the webhook endpoint: 64 lowercase hexadecimal characters.'),
      apiKey: z.string().describe('The API key of the agent: gd_ followed by 43 base64url characters.'),
    })
    .describe('The webhook secret and the API key. Only this response contains them: store both.'),
}).meta({ id: 'InstalledAgent', description: 'A new agent with its credentials.' })

export const ArticleSummary = z
  .object({
    id: ids.article.describe('The id of the article.'),
    title: z.string().describe('The title, 1 to 200 characters.'),
    slug: z.string().describe('The name of the article in URLs, unique in the workspace.'),
    excerpt: NullableText.describe('A short summary, at most 500 characters. Null without one.'),
    collectionId: ids.collection.nullable().describe('The id of the collection of the article. Null without one.'),
    isPublished: z.boolean().describe('Whether the article is published.'),
    publishedAt: Time.nullable().describe('The time when the article was published. Null unless published.'),
    createdAt,
    updatedAt,
  })
  .meta({ id: 'ArticleSummary', description: 'An article without its body.' })

export const ListedArticle = ArticleSummary.extend({
  body: z
    .string()
    .optional()
    .describe('The text in Markdown, at most 200,000 characters. Present only with include=body.'),
}).meta({ id: 'ListedArticle', description: 'An article. The body is present only with include=body.' })

export const Article = ArticleSummary.extend({
  body: z.string().describe('The text in Markdown, at most 200,000 characters.'),
}).meta({ id: 'Article', description: 'An article with its body.' })

/** REST shows neither the settings nor the health of an endpoint. */
const SETTINGS_AND_HEALTH = {
  maxInFlight: true,
  ordering: true,
  failingSince: true,
  consecutiveFailures: true,
  lastSuccessAt: true,
  lastFailureAt: true,
} as const

export const WebhookEndpoint = z
  .object({
    id: ids.endpoint.describe('The id of the endpoint.'),
    ...responseFields(EndpointColumns.omit(SETTINGS_AND_HEALTH).shape, {
      agentId: ids.agent.nullable(),
      disabledReason: NullableText,
    }),
    events: EventFlags,
  })
  .meta({ id: 'WebhookEndpoint', description: 'A webhook endpoint, without its secret.' })

export const Registration = z
  .object({
    status: z
      .enum(['created', 'exists'])
      .describe('The result: created for a new endpoint, exists if the URL was registered before.'),
    resumed: z
      .literal(true)
      .optional()
      .describe('Present and true if the endpoint had been unregistered and is active again.'),
    endpoint: z
      .object({
        id: ids.endpoint.describe('The id of the endpoint.'),
        url: z.string().describe('The URL that receives events.'),
        secret: z.string().describe('The signing secret: 64 lowercase hexadecimal characters.'),
        nextSecret: z.string().optional().describe('The next signing secret. Present only during a rotation.'),
        secretEndsAt: Time.optional().describe(
          'The time when the next secret replaces the current one. Present only during a rotation.',
        ),
        isEnabled: z.boolean().describe('Whether the endpoint is enabled.'),
        events: EventFlags,
      })
      .describe('The registered endpoint, with its signing secret.'),
  })
  .meta({ id: 'Registration', description: 'The result of a registration.' })

export const ReplyResult = z
  .union([
    z.object({
      messageId: ids.message.describe('The id of the created message.'),
      conversationId: ids.conversation.describe('The id of the conversation.'),
    }),
    z.object({
      skipped: z.literal(true).describe('True: no message was created.'),
      reason: z.enum(SKIP_REASONS).describe('The reason: the conversation is assigned to a member, or closed.'),
      conversationId: ids.conversation.describe('The id of the conversation.'),
    }),
  ])
  .meta({ id: 'ReplyResult', description: 'The message that was created, or the reason why it was skipped.' })

export const Done = z
  .object({ ok: z.literal(true).describe('True: the signal was accepted.') })
  .meta({ id: 'Done', description: 'A successful result without data.' })
export const Deleted = z
  .object({ deleted: z.literal(true).describe('True: the object was deleted.') })
  .meta({ id: 'Deleted', description: 'The result of a deletion.' })
