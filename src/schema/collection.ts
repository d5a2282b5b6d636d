import { CollectionInput, CollectionPatch } from '../domain/knowledge-base/collections.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { inputFields, outputFields } from './fields.ts'

export const Collection = builder.prismaNode('Collection', {
  nullable: true,
  description: 'A group of articles in the knowledge base.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, workspaceId: context.actor().workspaceId }),
  fields: (t) => ({
    ...outputFields(t, CollectionInput.shape),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'The time when the collection was created.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'The time of the latest change.' }),
  }),
})

export const CollectionConnection = connectionOf(Collection, 'Collection')

export const CreateCollectionInput = builder.inputType('CreateCollectionInput', {
  description: 'Input of `createCollection`.',
  fields: (t) => inputFields(t, CollectionInput.shape),
})

export const UpdateCollectionInput = builder.inputType('UpdateCollectionInput', {
  description: 'Input of `updateCollection`. Fields that are left out do not change.',
  fields: (t) => ({
    collectionId: t.id({ required: true, description: 'The id of the collection.' }),
    ...inputFields(t, CollectionPatch.shape),
  }),
})

export const DeleteCollectionInput = builder.inputType('DeleteCollectionInput', {
  description: 'Input of `deleteCollection`.',
  fields: (t) => ({ collectionId: t.id({ required: true, description: 'The id of the collection.' }) }),
})
