import {
  addTags,
  ConversationPatch,
  MAX_CONVERSATIONS,
  removeTags,
  updateConversations,
} from '../domain/conversations/update-conversation.ts'
import { builder } from '../schema/builder.ts'
import {
  AddTagsInput,
  RemoveTagsInput,
  UpdateConversationsInput,
  UpdateConversationsResult,
} from '../schema/conversation-batch.ts'
import { MutationPayload } from '../schema/errors.ts'
import { inputOf } from './input.ts'

const payloadOf = <Name extends string>(mutation: string, name: Name) =>
  builder.simpleObject(name, {
    interfaces: [MutationPayload],
    description: `The result of \`${mutation}\`. \`error\` is only set when nothing was changed. \`results\` has the outcome for each conversation.`,
    fields: (t) => ({
      results: t.field({
        type: [UpdateConversationsResult],
        description: 'One result for each distinct id, in the order of the ids, at most 100.',
      }),
    }),
  })

const UpdateConversationsPayload = payloadOf('updateConversations', 'UpdateConversationsPayload')
const AddTagsPayload = payloadOf('addTags', 'AddTagsPayload')
const RemoveTagsPayload = payloadOf('removeTags', 'RemoveTagsPayload')

const SEPARATELY = `Each conversation is changed on its own: one that is refused does not affect the others. At most ${MAX_CONVERSATIONS} conversations.`

builder.mutationFields((t) => ({
  updateConversations: t.field({
    type: UpdateConversationsPayload,
    description: `Makes the same changes to several conversations, as \`updateConversation\` does to one. ${SEPARATELY}`,
    args: {
      input: t.arg({
        type: UpdateConversationsInput,
        required: true,
        description: 'The conversations and their changes.',
      }),
    },
    resolve: async (_root, { input: { ids, ...patch } }, { deps, actor }) => ({
      results: await updateConversations(deps, actor(), ids, inputOf(ConversationPatch, patch)),
    }),
  }),
  addTags: t.field({
    type: AddTagsPayload,
    description: `Adds tags to several conversations and keeps the tags that they have. Concurrent changes of tags are all kept. ${SEPARATELY}`,
    args: {
      input: t.arg({ type: AddTagsInput, required: true, description: 'The conversations and the tags to add.' }),
    },
    resolve: async (_root, { input }, { deps, actor }) => ({ results: await addTags(deps, actor(), input) }),
  }),
  removeTags: t.field({
    type: RemoveTagsPayload,
    description: `Removes tags from several conversations and keeps their other tags. Concurrent changes of tags are all kept. ${SEPARATELY}`,
    args: {
      input: t.arg({ type: RemoveTagsInput, required: true, description: 'The conversations and the tags to remove.' }),
    },
    resolve: async (_root, { input }, { deps, actor }) => ({ results: await removeTags(deps, actor(), input) }),
  }),
}))
