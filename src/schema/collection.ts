import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'

export const Collection = builder.prismaNode('Collection', {
  nullable: true,
  description: 'A group of articles.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, workspaceId: context.actor().workspaceId }),
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name.' }),
    description: t.exposeString('description', { nullable: true, description: 'What it is about.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
  }),
})

export const CollectionConnection = connectionOf(Collection, 'Collection')

export const CreateCollectionInput = builder.inputType('CreateCollectionInput', {
  description: 'A new collection.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'At most 100 characters.' }),
    description: t.string({ description: 'At most 1,000 characters.' }),
  }),
})

export const UpdateCollectionInput = builder.inputType('UpdateCollectionInput', {
  description: 'What to change; fields left out stay as they are.',
  fields: (t) => ({
    collectionId: t.id({ required: true, description: 'Which collection.' }),
    name: t.string({ description: 'Its name.' }),
    description: t.string({ description: 'What it is about; null clears.' }),
  }),
})

export const DeleteCollectionInput = builder.inputType('DeleteCollectionInput', {
  description: 'What to remove.',
  fields: (t) => ({ collectionId: t.id({ required: true, description: 'Which collection. Its articles stay.' }) }),
})
