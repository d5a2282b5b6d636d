import { ArticleFilter, ArticleInput, ArticlePatch } from '../domain/knowledge-base/articles.ts'
import { sizeOfArticle } from '../domain/knowledge-base/collection-articles.ts'
import { visibleArticles } from '../domain/shared/authorization.ts'
import { ownedPage } from '../domain/shared/page-sql.ts'
import { builder } from './builder.ts'
import { Collection } from './collection.ts'
import { connectionOf, pageArgs, pageRequest, toConnection } from './connection.ts'
import { selectedOfRows } from './field-selection.ts'
import { inputFields } from './fields.ts'
import { readerOf } from './loaders.ts'

export const Article = builder.prismaNode('Article', {
  nullable: true,
  description: 'An article of the knowledge base.',
  id: { field: 'id' },
  findUnique: (id, context) => ({ id, ...visibleArticles(context.actor()) }),
  // Without the body: a list loads its bodies in one statement, and only when they are selected.
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
    title: t.exposeString('title', { description: 'The title, at most 200 characters.' }),
    slug: t.exposeString('slug', { description: 'The name of the article in URLs, unique in the workspace.' }),
    excerpt: t.exposeString('excerpt', {
      nullable: true,
      description: 'A short summary, at most 500 characters. Null when there is none.',
    }),
    body: t.string({
      description: 'The text, in Markdown. It can be empty.',
      resolve: async ({ id }, _args, { loaders, budget }) => budget.spend(await loaders.articleBodies.load(id)),
    }),
    collection: t.field({
      type: Collection,
      nullable: true,
      description: 'The collection that the article belongs to. Null when there is none.',
      resolve: ({ collection }) => collection,
    }),
    isPublished: t.exposeBoolean('isPublished', {
      description: 'Whether the article is published. Visitors can only see published articles.',
    }),
    publishedAt: t.expose('publishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The time when the article was last published. Null for a draft.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'The time when the article was created.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'The time of the latest change.' }),
  }),
})

export const ArticleConnection = connectionOf(Article, 'Article')

builder.prismaObjectField(Collection, 'articles', (t) =>
  t.field({
    type: ArticleConnection,
    description:
      'The articles of the collection, newest first. Drafts are not visible to visitors. Null when the arguments are refused.',
    args: pageArgs(t.arg),
    resolve: async (collection, page, { loaders, budget }, info) => {
      const withBodies = selectedOfRows(info).has('body')
      const { find, count } = readerOf(loaders.collectionArticles, collection.id)
      const found = await ownedPage(pageRequest(page, budget), {
        find: async (range) => {
          const articles = await find({ ...range, withBodies })
          return articles.map((article) => ({ ...article, collection }))
        },
        count,
        sizeOf: (article) => sizeOfArticle(article),
      })
      return toConnection(found)
    },
  }),
)

export const ArticleFilterInput = builder.inputType('ArticleFilter', {
  description: 'Conditions on articles. All of them must hold.',
  fields: (t) => inputFields(t, ArticleFilter.shape, { collectionId: 'ID' }),
})

export const CreateArticleInput = builder.inputType('CreateArticleInput', {
  description: 'Input of `createArticle`.',
  fields: (t) => inputFields(t, ArticleInput.shape, { collectionId: 'ID' }),
})

export const UpdateArticleInput = builder.inputType('UpdateArticleInput', {
  description: 'Input of `updateArticle`. Fields that are left out do not change.',
  fields: (t) => ({
    articleId: t.id({ required: true, description: 'The id of the article.' }),
    ...inputFields(t, ArticlePatch.shape, { collectionId: 'ID' }),
  }),
})

export const DeleteArticleInput = builder.inputType('DeleteArticleInput', {
  description: 'Input of `deleteArticle`.',
  fields: (t) => ({ articleId: t.id({ required: true, description: 'The id of the article.' }) }),
})
