import { type ConversationOutcome, MAX_CONVERSATIONS } from '../domain/conversations/update-conversation.ts'
import { builder } from './builder.ts'
import { Conversation, conversationChanges } from './conversation.ts'
import { MutationErrorRef, refusalOf } from './errors.ts'

const IDS = `The ids of the conversations, at most ${MAX_CONVERSATIONS}. An id that is named again counts once. An empty list changes nothing.`

export const UpdateConversationsResult = builder.objectRef<ConversationOutcome>('UpdateConversationsResult').implement({
  description:
    'The outcome of a mutation of many conversations for one of them. Either `conversation` or `error` is set.',
  fields: (t) => ({
    conversationId: t.exposeID('conversationId', { description: 'The id that the input names.' }),
    conversation: t.field({
      type: Conversation,
      nullable: true,
      description: 'The conversation in its current state. Null when its change was refused.',
      resolve: ({ conversation }) => conversation,
    }),
    error: t.field({
      type: MutationErrorRef,
      nullable: true,
      description:
        'The reason why the change of this conversation was refused; the others are not affected. Null on success.',
      resolve: ({ error }) => error && refused(error),
    }),
  }),
})

function refused(error: Error) {
  const refusal = refusalOf(error)
  if (refusal === null) throw error
  return refusal
}

export const UpdateConversationsInput = builder.inputType('UpdateConversationsInput', {
  description: 'Input of `updateConversations`. Fields that are left out do not change.',
  fields: (t) => ({ ids: t.idList({ required: true, description: IDS }), ...conversationChanges(t) }),
})

export const AddTagsInput = builder.inputType('AddTagsInput', {
  description: 'Input of `addTags`.',
  fields: (t) => ({
    conversationIds: t.idList({ required: true, description: IDS }),
    tags: t.stringList({
      required: true,
      description: 'The tags to add, at most 50 of 1 to 50 characters. A conversation can have at most 50 tags.',
    }),
  }),
})

export const RemoveTagsInput = builder.inputType('RemoveTagsInput', {
  description: 'Input of `removeTags`.',
  fields: (t) => ({
    conversationIds: t.idList({ required: true, description: IDS }),
    tags: t.stringList({
      required: true,
      description:
        'The tags to remove, at most 50 of 1 to 50 characters. Tags that a conversation does not have are ignored.',
    }),
  }),
})
