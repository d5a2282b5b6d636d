import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'

export const Collection = builder.prismaNode('Collection', {
  nullable: true,
  description: 'A group of articles in the knowledge base.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, workspaceId: context.actor().workspaceId }),
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name, at most 100 characters.' }),
    description: t.exposeString('description', {
      nullable: true,
      description: 'The description, at most 1,000 characters. Null when there is none.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'The time when the collection was created.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'The time of the latest change.' }),
  }),
})

export const CollectionConnection = connectionOf(Collection, 'Collection')

export const CreateCollectionInput = builder.inputType('CreateCollectionInput', {
  description: 'Input of `createCollection`.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'The name, 1 to 100 characters.' }),
    description: t.string({ description: 'The description, at most 1,000 characters. None by default.' }),
  }),
})

export const UpdateCollectionInput = builder.inputType('UpdateCollectionInput', {
  description: 'Input of `updateCollection`. Fields that are left out do not change.',
  fields: (t) => ({
    collectionId: t.id({ required: true, description: 'The id of the collection.' }),
    name: t.string({ description: 'The name, 1 to 100 characters.' }),
    description: t.string({ description: 'The description, at most 1,000 characters. Null removes it.' }),
  }),
})

export const DeleteCollectionInput = builder.inputType('DeleteCollectionInput', {
  description: 'Input of `deleteCollection`.',
  fields: (t) => ({ collectionId: t.id({ required: true, description: 'The id of the collection.' }) }),
})
