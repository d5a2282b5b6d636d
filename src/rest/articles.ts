import { z } from 'zod'
import {
  ArticleFilter,
  ArticleInput,
  ArticlePatch,
  createArticle,
  deleteArticle,
  getArticle,
  listArticles,
  updateArticle,
  withBodies,
} from '../domain/knowledge-base/articles.ts'
import { omitUndefined } from '../domain/shared/input.ts'
import { booleanParameter } from './query.ts'
import { listResponse, type Route, route } from './route.ts'
import * as shapes from './shapes.ts'

const Query = z.object({
  published: booleanParameter.optional().describe('true: published articles. false: drafts. All by default.'),
  collectionId: ArticleFilter.shape.collectionId.describe('Articles in the collection with this id.'),
  q: ArticleFilter.shape.text.describe('A text, 1 to 200 characters, in the title, excerpt or body. Ignores case.'),
  include: z.enum(['body']).optional().describe('body: the response contains the bodies of the articles.'),
})

const showSummary = shapes.shown(shapes.ArticleSummary)
const showArticle = shapes.shown(shapes.Article)

export const articleRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/articles',
    summary: 'List articles, newest first. Pass include=body to include their bodies.',
    needs: 'READ_ONLY',
    query: Query,
    response: z.array(shapes.ListedArticle),
    async handle({ deps, actor, query: { include, published, collectionId, q }, page }) {
      const filter = omitUndefined({ isPublished: published, collectionId, text: q })
      const found = await listArticles(deps, await actor(), filter, page, { withBodies: include === 'body' })
      if (include === undefined) return listResponse(found, page, showSummary)
      return listResponse(await withBodies(deps, found), page, showArticle)
    },
  }),
  route({
    method: 'POST',
    path: '/v1/articles',
    summary: 'Create an article.',
    needs: 'READ_WRITE',
    body: ArticleInput,
    response: shapes.Article,
    statuses: [201],
    async handle({ deps, actor, body }) {
      return { status: 201, data: showArticle(await createArticle(deps, await actor(), body)) }
    },
  }),
  route({
    method: 'GET',
    path: '/v1/articles/:id',
    summary: 'Retrieve an article.',
    needs: 'READ_ONLY',
    response: shapes.Article,
    async handle({ deps, actor, id }) {
      return { data: showArticle(await getArticle(deps, await actor(), id)) }
    },
  }),
  route({
    method: 'PATCH',
    path: '/v1/articles/:id',
    summary: 'Update or publish an article.',
    needs: 'READ_WRITE',
    body: ArticlePatch,
    response: shapes.Article,
    async handle({ deps, actor, id, body }) {
      return { data: showArticle(await updateArticle(deps, await actor(), id, body)) }
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/articles/:id',
    summary: 'Delete an article.',
    needs: 'FULL_ACCESS',
    response: shapes.Deleted,
    async handle({ deps, actor, id }) {
      await deleteArticle(deps, await actor(), id)
      return { data: { deleted: true } }
    },
  }),
]
