import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'

export const Visitor = builder.prismaNode('Visitor', {
  nullable: true,
  description: 'A person who writes to the team; REST calls them customers.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, workspaceId: context.actor().workspaceId }),
  fields: (t) => ({
    externalId: t.exposeString('externalId', { nullable: true, description: 'Their id in your system.' }),
    name: t.exposeString('name', { nullable: true, description: 'Their name, if known.' }),
    email: t.exposeString('email', { nullable: true, description: 'Their email address, if known.' }),
    avatarUrl: t.expose('avatarUrl', { type: 'URL', nullable: true, description: 'A picture of them.' }),
    avatar: t.string({
      nullable: true,
      description:
        'The path on this server of the picture at avatarUrl, for people who are signed in; null until it has been fetched.',
      resolve: ({ avatarUrl }, _args, { loaders }) => (avatarUrl === null ? null : loaders.pictures.load(avatarUrl)),
    }),
    metadata: t.field({
      type: 'JSON',
      description: 'Whatever you keep with them.',
      resolve: ({ metadata }, _args, { budget }) => budget.spend(metadata),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When they first came.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When they were last changed.' }),
  }),
})

export const VisitorConnection = connectionOf(Visitor, 'Visitor')

export const UpsertVisitorInput = builder.inputType('UpsertVisitorInput', {
  description: 'At least one of name, email, externalId. The same externalId again updates the visitor.',
  fields: (t) => ({
    externalId: t.string({ description: 'Their id in your system.' }),
    name: t.string({ description: 'Their name.' }),
    email: t.string({ description: 'Their email address.' }),
    avatarUrl: t.field({ type: 'URL', description: 'An http(s) URL of a picture.' }),
    metadata: t.field({ type: 'JSON', description: 'An object of at most 16 kB.' }),
  }),
})

const TextFilterInput = builder.inputType('TextFilter', {
  description: 'How a text must be; case does not matter, and all conditions must hold.',
  fields: (t) => ({
    is: t.string({ description: 'Exactly this.' }),
    startsWith: t.string({ description: 'Beginning with this.' }),
    contains: t.string({ description: 'With this in it.' }),
  }),
})

export const VisitorFilterInput = builder.inputType('VisitorFilter', {
  description: 'Which visitors; all conditions must hold.',
  fields: (t) => ({
    name: t.field({ type: TextFilterInput, description: 'What they are called.' }),
    email: t.field({ type: TextFilterInput, description: 'Their email address.' }),
    externalId: t.string({ description: 'Exactly this id in your system.' }),
    text: t.string({ description: 'In the name, email address or external id; case does not matter.' }),
  }),
})

export const UpdateVisitorInput = builder.inputType('UpdateVisitorInput', {
  description: 'What to change; fields left out stay as they are, null clears.',
  fields: (t) => ({
    visitorId: t.id({ required: true, description: 'Which visitor.' }),
    externalId: t.string({ description: 'Their id in your system; unique.' }),
    name: t.string({ description: 'Their name.' }),
    email: t.string({ description: 'Their email address.' }),
    avatarUrl: t.field({ type: 'URL', description: 'An http(s) URL of a picture.' }),
    metadata: t.field({ type: 'JSON', description: 'Replaces the whole object.' }),
  }),
})
