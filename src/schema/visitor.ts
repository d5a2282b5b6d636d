import { visitorDisplayName } from '../domain/shared/actor.ts'
import { TextFilter, VisitorFilter, VisitorInput, VisitorPatch } from '../domain/visitors/visitors.ts'
import { Actor } from './actor.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { inputFields, outputFields } from './fields.ts'

export const Visitor = builder.prismaNode('Visitor', {
  nullable: true,
  interfaces: [Actor],
  description: 'A customer who writes to the team. REST calls a visitor a customer.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, workspaceId: context.actor().workspaceId }),
  fields: (t) => ({
    displayName: t.string({
      description: 'The name, else the email address, else `Visitor`.',
      resolve: visitorDisplayName,
    }),
    ...outputFields(t, VisitorInput.shape),
    avatar: t.string({
      nullable: true,
      description:
        'The path on this server of a copy of the picture at `avatarUrl`, for people who are signed in. Null when there is no picture, and until it was fetched.',
      resolve: ({ avatarUrl }, _args, { loaders }) => (avatarUrl === null ? null : loaders.pictures.load(avatarUrl)),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'The time when the visitor was created.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'The time of the latest change.' }),
  }),
})

export const VisitorConnection = connectionOf(Visitor, 'Visitor')

export const UpsertVisitorInput = builder.inputType('UpsertVisitorInput', {
  description:
    'Input of `upsertVisitor`. Requires at least one of `externalId`, `name` and `email`. Without an `externalId`, a new visitor is created. Fields that are left out or null do not change an existing visitor.',
  fields: (t) => inputFields(t, VisitorInput.shape),
})

const TextFilterInput = builder.inputType('TextFilter', {
  description: 'Conditions on a text, ignoring case. All of them must hold. Each has 1 to 320 characters.',
  fields: (t) => inputFields(t, TextFilter.shape),
})

export const VisitorFilterInput = builder.inputType('VisitorFilter', {
  description: 'Conditions on visitors. All of them must hold.',
  fields: (t) => inputFields(t, VisitorFilter.shape, { name: TextFilterInput, email: TextFilterInput }),
})

export const UpdateVisitorInput = builder.inputType('UpdateVisitorInput', {
  description: 'Input of `updateVisitor`. Fields that are left out do not change. Null removes a value.',
  fields: (t) => ({
    visitorId: t.id({ required: true, description: 'The id of the visitor.' }),
    ...inputFields(t, VisitorPatch.shape),
  }),
})
