import {
  ArticleInput,
  ArticlePatch,
  createArticle,
  deleteArticle,
  findArticle,
  listArticles,
  updateArticle,
} from '../domain/knowledge-base/articles.ts'
import {
  Article,
  ArticleConnection,
  ArticleFilterInput,
  CreateArticleInput,
  DeleteArticleInput,
  UpdateArticleInput,
} from '../schema/article.ts'
import { builder } from '../schema/builder.ts'
import { pageArgs, pageRequest, toConnection } from '../schema/connection.ts'
import { MutationPayload } from '../schema/errors.ts'
import { selectedOfRows } from '../schema/field-selection.ts'
import { inputOf, omitNull } from './input.ts'

const CreateArticlePayload = builder.simpleObject('CreateArticlePayload', {
  interfaces: [MutationPayload],
  description: 'The result of `createArticle`.',
  fields: (t) => ({
    article: t.field({
      type: Article,
      description: 'The new article.',
    }),
  }),
})

const UpdateArticlePayload = builder.simpleObject('UpdateArticlePayload', {
  interfaces: [MutationPayload],
  description: 'The result of `updateArticle`.',
  fields: (t) => ({
    article: t.field({
      type: Article,
      description: 'The article in its current state.',
    }),
  }),
})

const DeleteArticlePayload = builder.simpleObject('DeleteArticlePayload', {
  interfaces: [MutationPayload],
  description: 'The result of `deleteArticle`.',
  fields: (t) => ({
    deletedId: t.id({
      description: 'The id of the deleted article.',
    }),
  }),
})

builder.mutationFields((t) => ({
  createArticle: t.field({
    type: CreateArticlePayload,
    description: 'Creates an article in the knowledge base.',
    args: {
      input: t.arg({ type: CreateArticleInput, required: true, description: 'The properties of the new article.' }),
    },
    resolve: async (_root, { input }, { deps, actor }) => ({
      article: await createArticle(deps, actor(), inputOf(ArticleInput, omitNull(input))),
    }),
  }),
  updateArticle: t.field({
    type: UpdateArticlePayload,
    description: 'Changes an article, publishes it, or turns it into a draft.',
    args: { input: t.arg({ type: UpdateArticleInput, required: true, description: 'The article and its changes.' }) },
    resolve: async (_root, { input: { articleId, ...patch } }, { deps, actor }) => ({
      article: await updateArticle(deps, actor(), articleId, inputOf(ArticlePatch, patch)),
    }),
  }),
  deleteArticle: t.field({
    type: DeleteArticlePayload,
    description: 'Deletes an article. Requires FULL_ACCESS.',
    args: { input: t.arg({ type: DeleteArticleInput, required: true, description: 'The article to delete.' }) },
    resolve: async (_root, { input: { articleId } }, { deps, actor }) => {
      await deleteArticle(deps, actor(), articleId)
      return { deletedId: articleId }
    },
  }),
}))

builder.queryField('article', (t) =>
  t.field({
    type: Article,
    nullable: true,
    description:
      'An article by its id or its slug: exactly one of the arguments. Null when it does not exist or the caller cannot see it.',
    args: {
      id: t.arg.id({ description: 'The id of the article.' }),
      slug: t.arg.string({ description: 'The slug of the article, which is unique in the workspace.' }),
    },
    resolve: (_root, key, { deps, actor }) => findArticle(deps, actor(), omitNull(key)),
  }),
)

builder.queryField('articles', (t) =>
  t.field({
    type: ArticleConnection,
    description: 'The articles of the knowledge base, newest first. Drafts are not visible to visitors.',
    args: {
      filter: t.arg({ type: ArticleFilterInput, description: 'Conditions on the articles. All articles by default.' }),
      ...pageArgs(t.arg),
    },
    resolve: async (_root, { filter, ...page }, { deps, actor, budget }, info) => {
      const withBodies = selectedOfRows(info).has('body')
      const wanted = omitNull(filter ?? {})
      return toConnection(await listArticles(deps, actor(), wanted, pageRequest(page, budget), { withBodies }))
    },
  }),
)
