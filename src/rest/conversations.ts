import { z } from 'zod'
import { ConversationFilter } from '../domain/conversations/conversation-filter.ts'
import {
  type ConversationWithAssignee,
  type ConversationWithPeople,
  getConversation,
} from '../domain/conversations/conversations.ts'
import { listConversations } from '../domain/conversations/list-conversations.ts'
import { ConversationPatch, updateConversation } from '../domain/conversations/update-conversation.ts'
import { listMessages } from '../domain/messages/list-messages.ts'
import { SendMessage, sendMessage } from '../domain/messages/send-message.ts'
import { StartConversation, startConversation } from '../domain/messages/start-conversation.ts'
import { fieldOf } from '../domain/shared/field.ts'
import { idText, instant, omitUndefined, text } from '../domain/shared/input.ts'
import { Channel, ConversationStatus } from '../generated/prisma/enums.ts'
import { listParameter, separated } from './query.ts'
import { listResponse, type Route, route } from './route.ts'
import * as shapes from './shapes.ts'

const filter = ConversationFilter.shape
const said = (schema: z.ZodType) => fieldOf(schema).description ?? ''

/** The conditions of ConversationFilter as parameters. */
const Query = z
  .object({
    status: separated(z.enum(ConversationStatus)).describe(said(filter.statuses)),
    assigneeId: idText.describe('Conversations that are assigned to this member. none: unassigned conversations.'),
    visitorId: filter.visitorId,
    tag: listParameter(text(50)).describe('Conversations with this tag. If repeated, with all of the tags.'),
    anyTag: listParameter(text(50)).describe(
      'Conversations with this tag. If repeated, with at least one of the tags.',
    ),
    channel: separated(z.enum(Channel)).describe(said(filter.channels)),
    priority: separated(z.enum(['0', '1', '2', '3']).transform(Number)).describe(said(filter.priorities)),
    q: filter.text,
    createdAfter: instant.describe('Conversations that were created after this time.'),
    createdBefore: instant.describe('Conversations that were created before this time.'),
    activeAfter: instant.describe('Conversations with their latest activity after this time.'),
    activeBefore: instant.describe('Conversations with their latest activity before this time.'),
  })
  .partial()
  .transform(({ status, channel, priority, visitorId, assigneeId, tag, anyTag, q, ...times }) => ({
    ...omitUndefined({ statuses: status, channels: channel, priorities: priority, visitorId, text: q }),
    createdAt: omitUndefined({ after: times.createdAfter, to: times.createdBefore }),
    lastActivityAt: omitUndefined({ after: times.activeAfter, to: times.activeBefore }),
    ...((tag ?? anyTag) !== undefined && { tags: omitUndefined({ all: tag, any: anyTag }) }),
    ...(assigneeId !== undefined && {
      assignee: assigneeId === 'none' ? { none: true as const } : { memberId: assigneeId },
    }),
  }))

const showMessage = shapes.shown(shapes.Message)
const showState = shapes.shown(shapes.ConversationSummary)
const showVisitor = shapes.shown(shapes.Conversation.shape.visitor)

export const conversationRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/conversations',
    summary: 'List conversations, latest activity first.',
    needs: 'READ_ONLY',
    query: Query,
    response: z.array(shapes.Conversation),
    async handle({ deps, actor, query, page }) {
      return listResponse(await listConversations(deps, await actor(), query, page), page, showConversation)
    },
  }),
  route({
    method: 'POST',
    path: '/v1/conversations',
    summary: 'Create a conversation with a customer.',
    needs: 'READ_WRITE',
    body: StartConversation.omit({ channel: true }),
    response: shapes.Conversation,
    statuses: [201],
    async handle({ deps, actor, body }) {
      return { status: 201, data: showConversation(await startConversation(deps, await actor(), body)) }
    },
  }),
  route({
    method: 'GET',
    path: '/v1/conversations/:id',
    summary: 'Retrieve a conversation.',
    needs: 'READ_ONLY',
    response: shapes.Conversation,
    async handle({ deps, actor, id }) {
      return { data: showConversation(await getConversation(deps, await actor(), id)) }
    },
  }),
  route({
    method: 'PATCH',
    path: '/v1/conversations/:id',
    summary: 'Update the status, assignee, tags, subject, priority or snooze time of a conversation.',
    needs: 'READ_WRITE',
    body: ConversationPatch,
    response: shapes.Conversation,
    async handle({ deps, actor, id, body }) {
      return { data: showConversation(await updateConversation(deps, await actor(), id, body)) }
    },
  }),
  route({
    method: 'GET',
    path: '/v1/conversations/:id/messages',
    summary: 'List the messages of a conversation, oldest first. Includes notes.',
    needs: 'READ_ONLY',
    response: z.array(shapes.Message),
    async handle({ deps, actor, id, page }) {
      return listResponse(await listMessages(deps, await actor(), id, page), page, showMessage)
    },
  }),
  route({
    method: 'POST',
    path: '/v1/conversations/:id/messages',
    summary: 'Create a message or note.',
    needs: 'READ_WRITE',
    body: SendMessage,
    response: shapes.Message,
    statuses: [201],
    async handle({ deps, actor, id, body }) {
      return { status: 201, data: showMessage(await sendMessage(deps, await actor(), id, body)) }
    },
  }),
]

function showConversation(row: ConversationWithPeople) {
  const { assignee, visitor } = row
  return {
    ...showSummary(row),
    assignee: assignee === null ? null : { id: assignee.id, name: assignee.user.name },
    visitor: showVisitor(visitor),
  }
}

/** A conversation without the names of its assignee and visitor. */
export function showSummary(row: ConversationWithAssignee) {
  // The column can name a removed member.
  return showState({ ...row, assigneeId: row.assignee?.id ?? null })
}
