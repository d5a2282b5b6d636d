import {
  CollectionInput,
  CollectionPatch,
  createCollection,
  deleteCollection,
  listCollections,
  updateCollection,
} from '../domain/knowledge-base/collections.ts'
import { builder } from '../schema/builder.ts'
import {
  Collection,
  CollectionConnection,
  CreateCollectionInput,
  DeleteCollectionInput,
  UpdateCollectionInput,
} from '../schema/collection.ts'
import { pageArgs, pageRequest, toConnection } from '../schema/connection.ts'
import { MutationPayload } from '../schema/errors.ts'
import { inputOf, omitNull } from './input.ts'

const CreateCollectionPayload = builder.simpleObject('CreateCollectionPayload', {
  interfaces: [MutationPayload],
  description: 'What was made.',
  fields: (t) => ({ collection: t.field({ nullable: true, type: Collection, description: 'The new collection.' }) }),
})

const UpdateCollectionPayload = builder.simpleObject('UpdateCollectionPayload', {
  interfaces: [MutationPayload],
  description: 'What was changed.',
  fields: (t) => ({
    collection: t.field({ nullable: true, type: Collection, description: 'The collection as it is now.' }),
  }),
})

const DeleteCollectionPayload = builder.simpleObject('DeleteCollectionPayload', {
  interfaces: [MutationPayload],
  description: 'What was removed.',
  fields: (t) => ({ deletedId: t.id({ nullable: true, description: "The collection's id." }) }),
})

builder.mutationFields((t) => ({
  createCollection: t.field({
    type: CreateCollectionPayload,
    nullable: true,
    description: 'Makes a group for articles.',
    args: { input: t.arg({ type: CreateCollectionInput, required: true, description: 'What it is.' }) },
    resolve: async (_root, { input }, { deps, actor }) => ({
      collection: await createCollection(deps, actor(), inputOf(CollectionInput, omitNull(input))),
    }),
  }),
  updateCollection: t.field({
    type: UpdateCollectionPayload,
    nullable: true,
    description: 'Changes a group of articles.',
    args: { input: t.arg({ type: UpdateCollectionInput, required: true, description: 'What to change.' }) },
    resolve: async (_root, { input: { collectionId, ...patch } }, { deps, actor }) => ({
      collection: await updateCollection(deps, actor(), collectionId, inputOf(CollectionPatch, patch)),
    }),
  }),
  deleteCollection: t.field({
    type: DeleteCollectionPayload,
    nullable: true,
    description: 'Removes a group. Its articles stay, in none.',
    args: { input: t.arg({ type: DeleteCollectionInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input: { collectionId } }, { deps, actor }) => {
      await deleteCollection(deps, actor(), collectionId)
      return { deletedId: collectionId }
    },
  }),
}))

builder.queryField('collections', (t) =>
  t.field({
    type: CollectionConnection,
    description: 'Groups of articles, newest first.',
    args: pageArgs(t.arg),
    resolve: async (_root, page, { deps, actor, budget }) =>
      toConnection(await listCollections(deps, actor(), pageRequest(page, budget))),
  }),
)
