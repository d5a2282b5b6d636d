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
  description: 'The result of `createCollection`.',
  fields: (t) => ({
    collection: t.field({
      type: Collection,
      description: 'The new collection.',
    }),
  }),
})

const UpdateCollectionPayload = builder.simpleObject('UpdateCollectionPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `updateCollection`.',
  fields: (t) => ({
    collection: t.field({
      type: Collection,
      description: 'The collection in its current state.',
    }),
  }),
})

const DeleteCollectionPayload = builder.simpleObject('DeleteCollectionPayload', {
  interfaces: [MutationPayload],
  description: 'The result of `deleteCollection`.',
  fields: (t) => ({
    deletedId: t.id({
      description: 'The id of the deleted collection.',
    }),
  }),
})

builder.mutationFields((t) => ({
  createCollection: t.field({
    type: CreateCollectionPayload,
    description: 'Creates a collection of articles.',
    args: {
      input: t.arg({
        type: CreateCollectionInput,
        required: true,
        description: 'The properties of the new collection.',
      }),
    },
    resolve: async (_root, { input }, { deps, actor }) => ({
      collection: await createCollection(deps, actor(), inputOf(CollectionInput, omitNull(input))),
    }),
  }),
  updateCollection: t.field({
    type: UpdateCollectionPayload,
    description: 'Changes the name or description of a collection.',
    args: {
      input: t.arg({ type: UpdateCollectionInput, required: true, description: 'The collection and its changes.' }),
    },
    resolve: async (_root, { input: { collectionId, ...patch } }, { deps, actor }) => ({
      collection: await updateCollection(deps, actor(), collectionId, inputOf(CollectionPatch, patch)),
    }),
  }),
  deleteCollection: t.field({
    type: DeleteCollectionPayload,
    description: 'Deletes a collection. Its articles are kept, without a collection. Requires FULL_ACCESS.',
    args: { input: t.arg({ type: DeleteCollectionInput, required: true, description: 'The collection to delete.' }) },
    resolve: async (_root, { input: { collectionId } }, { deps, actor }) => {
      await deleteCollection(deps, actor(), collectionId)
      return { deletedId: collectionId }
    },
  }),
}))

builder.queryField('collections', (t) =>
  t.field({
    type: CollectionConnection,
    description: 'The collections of the knowledge base, newest first.',
    args: pageArgs(t.arg),
    resolve: async (_root, page, { deps, actor, budget }) =>
      toConnection(await listCollections(deps, actor(), pageRequest(page, budget))),
  }),
)
