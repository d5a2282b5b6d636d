import {
  ArticleInput,
  ArticlePatch,
  createArticle,
  deleteArticle,
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
import { selectedFields } from '../schema/field-selection.ts'
import { inputOf, omitNull } from './input.ts'

const CreateArticlePayload = builder.simpleObject('CreateArticlePayload', {
  interfaces: [MutationPayload],
  description: 'What was written.',
  fields: (t) => ({ article: t.field({ nullable: true, type: Article, description: 'The new article.' }) }),
})

const UpdateArticlePayload = builder.simpleObject('UpdateArticlePayload', {
  interfaces: [MutationPayload],
  description: 'What was changed.',
  fields: (t) => ({ article: t.field({ nullable: true, type: Article, description: 'The article as it is now.' }) }),
})

const DeleteArticlePayload = builder.simpleObject('DeleteArticlePayload', {
  interfaces: [MutationPayload],
  description: 'What was removed.',
  fields: (t) => ({ deletedId: t.id({ nullable: true, description: "The article's id." }) }),
})

builder.mutationFields((t) => ({
  createArticle: t.field({
    type: CreateArticlePayload,
    nullable: true,
    description: 'Writes an article.',
    args: { input: t.arg({ type: CreateArticleInput, required: true, description: 'What it says.' }) },
    resolve: async (_root, { input }, { deps, actor }) => ({
      article: await createArticle(deps, actor(), inputOf(ArticleInput, omitNull(input))),
    }),
  }),
  updateArticle: t.field({
    type: UpdateArticlePayload,
    nullable: true,
    description: 'Changes or publishes an article.',
    args: { input: t.arg({ type: UpdateArticleInput, required: true, description: 'What to change.' }) },
    resolve: async (_root, { input: { articleId, ...patch } }, { deps, actor }) => ({
      article: await updateArticle(deps, actor(), articleId, inputOf(ArticlePatch, patch)),
    }),
  }),
  deleteArticle: t.field({
    type: DeleteArticlePayload,
    nullable: true,
    description: 'Removes an article.',
    args: { input: t.arg({ type: DeleteArticleInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input: { articleId } }, { deps, actor }) => {
      await deleteArticle(deps, actor(), articleId)
      return { deletedId: articleId }
    },
  }),
}))

builder.queryField('articles', (t) =>
  t.field({
    type: ArticleConnection,
    description: 'The knowledge base, newest first.',
    args: {
      filter: t.arg({ type: ArticleFilterInput, description: 'Which ones; all when left out.' }),
      ...pageArgs(t.arg),
    },
    resolve: async (_root, { filter, ...page }, { deps, actor, budget }, info) => {
      const withBodies = selectedFields(info, 'edges', 'node').has('body')
      const wanted = omitNull(filter ?? {})
      return toConnection(await listArticles(deps, actor(), wanted, pageRequest(page, budget), { withBodies }))
    },
  }),
)
