import { visibleArticles } from '../domain/shared/authorization.ts'
import { builder } from './builder.ts'
import { Collection } from './collection.ts'
import { connectionOf } from './connection.ts'

export const Article = builder.prismaNode('Article', {
  nullable: true,
  description: "A text for visitors, in the workspace's knowledge base.",
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, ...visibleArticles(context.actor()) }),
  // Without the body: lists are read without it, and whoever asks for bodies gets all of a list's in one statement.
  select: {
    id: true,
    title: true,
    slug: true,
    excerpt: true,
    isPublished: true,
    publishedAt: true,
    createdAt: true,
    updatedAt: true,
    collection: true,
  },
  fields: (t) => ({
    title: t.exposeString('title', { description: 'Its title.' }),
    slug: t.exposeString('slug', { description: 'Its name in URLs, unique in the workspace.' }),
    excerpt: t.exposeString('excerpt', { nullable: true, description: 'A few words about it.' }),
    body: t.string({
      description: 'Its text, in Markdown.',
      resolve: async ({ id }, _args, { loaders, budget }) => budget.spend(await loaders.articleBodies.load(id)),
    }),
    collection: t.field({
      type: Collection,
      nullable: true,
      description: 'The group that it is in, if any.',
      resolve: ({ collection }) => collection,
    }),
    isPublished: t.exposeBoolean('isPublished', { description: 'Whether visitors may read it.' }),
    publishedAt: t.expose('publishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last published; null while it is not.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was begun.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
  }),
})

export const ArticleConnection = connectionOf(Article, 'Article')

export const ArticleFilterInput = builder.inputType('ArticleFilter', {
  description: 'Which articles; all conditions must hold.',
  fields: (t) => ({
    published: t.boolean({ description: 'True: what visitors may read; false: drafts.' }),
    collectionId: t.id({ description: "A collection's id." }),
    q: t.string({ description: 'In title, excerpt or body; case does not matter.' }),
  }),
})

export const CreateArticleInput = builder.inputType('CreateArticleInput', {
  description: 'A new article.',
  fields: (t) => ({
    title: t.string({ required: true, description: 'At most 200 characters.' }),
    slug: t.string({ description: 'a-z, 0-9 and -, unique in the workspace; made from the title when left out.' }),
    body: t.string({ description: 'Markdown, at most 200,000 characters.' }),
    excerpt: t.string({ description: 'At most 500 characters.' }),
    collectionId: t.id({ description: 'The group that it belongs to.' }),
    isPublished: t.boolean({ description: 'A draft when left out.' }),
  }),
})

export const UpdateArticleInput = builder.inputType('UpdateArticleInput', {
  description: 'What to change; fields left out stay as they are.',
  fields: (t) => ({
    articleId: t.id({ required: true, description: 'Which article.' }),
    title: t.string({ description: 'Its title; the slug stays.' }),
    slug: t.string({ description: 'Its name in URLs.' }),
    body: t.string({ description: 'Markdown.' }),
    excerpt: t.string({ description: 'A few words about it; null clears.' }),
    collectionId: t.id({ description: 'The group that it belongs to; null takes it out.' }),
    isPublished: t.boolean({ description: 'Publishes it, or takes it back.' }),
  }),
})

export const DeleteArticleInput = builder.inputType('DeleteArticleInput', {
  description: 'What to remove.',
  fields: (t) => ({ articleId: t.id({ required: true, description: 'Which article.' }) }),
})
