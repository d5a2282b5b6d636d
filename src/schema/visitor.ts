import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'

export const Visitor = builder.prismaNode('Visitor', {
  nullable: true,
  description: 'A customer who writes to the team. REST calls a visitor a customer.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, workspaceId: context.actor().workspaceId }),
  fields: (t) => ({
    externalId: t.exposeString('externalId', {
      nullable: true,
      description: 'The id of the visitor in your system, unique in the workspace. Null when it is unknown.',
    }),
    name: t.exposeString('name', { nullable: true, description: 'The name of the visitor. Null when it is unknown.' }),
    email: t.exposeString('email', {
      nullable: true,
      description: 'The email address of the visitor. Null when it is unknown.',
    }),
    avatarUrl: t.expose('avatarUrl', {
      type: 'URL',
      nullable: true,
      description: 'The URL of a picture of the visitor. Null when there is none.',
    }),
    avatar: t.string({
      nullable: true,
      description:
        'The path on this server of a copy of the picture at `avatarUrl`, for people who are signed in. Null when there is no picture, and until it was fetched.',
      resolve: ({ avatarUrl }, _args, { loaders }) => (avatarUrl === null ? null : loaders.pictures.load(avatarUrl)),
    }),
    metadata: t.field({
      type: 'JSON',
      description: 'Custom data, an object of at most 16 kB.',
      resolve: ({ metadata }, _args, { budget }) => budget.spend(metadata),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'The time when the visitor was created.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'The time of the latest change.' }),
  }),
})

export const VisitorConnection = connectionOf(Visitor, 'Visitor')

export const UpsertVisitorInput = builder.inputType('UpsertVisitorInput', {
  description:
    'Input of `upsertVisitor`. Requires at least one of `externalId`, `name` and `email`. Fields that are left out or null do not change an existing visitor.',
  fields: (t) => ({
    externalId: t.string({
      description: 'The id of the visitor in your system, 1 to 255 characters. Without it, a new visitor is created.',
    }),
    name: t.string({ description: 'The name of the visitor, at most 200 characters.' }),
    email: t.string({ description: 'The email address of the visitor, at most 320 characters.' }),
    avatarUrl: t.field({ type: 'URL', description: 'The URL of a picture of the visitor.' }),
    metadata: t.field({
      type: 'JSON',
      description: 'Custom data, an object of at most 16 kB. Replaces the existing object.',
    }),
  }),
})

const TextFilterInput = builder.inputType('TextFilter', {
  description: 'Conditions on a text, ignoring case. All of them must hold. Each has 1 to 320 characters.',
  fields: (t) => ({
    is: t.string({ description: 'The text is equal to this.' }),
    startsWith: t.string({ description: 'The text starts with this.' }),
    contains: t.string({ description: 'The text contains this.' }),
  }),
})

export const VisitorFilterInput = builder.inputType('VisitorFilter', {
  description: 'Conditions on visitors. All of them must hold.',
  fields: (t) => ({
    name: t.field({ type: TextFilterInput, description: 'Conditions on the name.' }),
    email: t.field({ type: TextFilterInput, description: 'Conditions on the email address.' }),
    externalId: t.string({ description: 'The visitor with exactly this `externalId`.' }),
    text: t.string({
      description:
        'A text of 1 to 200 characters that the name, email address or `externalId` contains, ignoring case.',
    }),
  }),
})

export const UpdateVisitorInput = builder.inputType('UpdateVisitorInput', {
  description: 'Input of `updateVisitor`. Fields that are left out do not change. Null removes a value.',
  fields: (t) => ({
    visitorId: t.id({ required: true, description: 'The id of the visitor.' }),
    externalId: t.string({
      description: 'The id of the visitor in your system, 1 to 255 characters, unique in the workspace.',
    }),
    name: t.string({ description: 'The name of the visitor, at most 200 characters.' }),
    email: t.string({ description: 'The email address of the visitor, at most 320 characters.' }),
    avatarUrl: t.field({ type: 'URL', description: 'The URL of a picture of the visitor.' }),
    metadata: t.field({
      type: 'JSON',
      description: 'Custom data, an object of at most 16 kB. Replaces the existing object, and cannot be null.',
    }),
  }),
})
