import { z } from 'zod'
import type { Article, Collection } from '../../generated/prisma/client.ts'
import { isForeignKeyViolation, isUniqueViolation } from '../../infra/database/db.ts'
import { inTransaction } from '../../infra/database/transaction.ts'
import { recordAudit } from '../audit/audit.ts'
import type { Actor } from '../shared/actor.ts'
import { requireLevel, visibleArticles } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { ConflictError, NotFoundError, ValidationError } from '../shared/errors.ts'
import { kindOfId, newId } from '../shared/ids.ts'
import {
  changesSomething,
  clearableText,
  hasOneKey,
  idText,
  omitUndefined,
  parse,
  requireId,
  text,
} from '../shared/input.ts'
import { jsonBytes } from '../shared/page-budget.ts'
import { newestFirst, type Page, type PageRequest } from '../shared/pagination.ts'

const MAX_SLUG = 100
const Slug = text(MAX_SLUG).regex(/^[a-z0-9-]+$/, 'must contain only a-z, 0-9 and -')

const fields = {
  title: text(200).describe('The title, 1 to 200 characters. A new title does not change the slug.'),
  slug: Slug.optional().describe(
    'The name of the article in URLs: 1 to 100 characters of `a-z`, `0-9` and `-`, unique in the workspace. Derived from the title by default.',
  ),
  /** Drafts can be empty. */
  body: text(200_000)
    .or(z.literal(''))
    .optional()
    .describe('The text in Markdown, at most 200,000 characters. Empty by default.'),
  excerpt: clearableText(500).optional().describe('A short summary, at most 500 characters. Null for none.'),
  collectionId: idText.nullish().describe('The id of the collection that the article belongs to. Null for none.'),
  isPublished: z
    .boolean()
    .optional()
    .describe('Whether the article is published. False by default: the article is a draft.'),
}

export const ArticleInput = z.object(fields)

export const ArticlePatch = z
  .object(fields)
  .partial()
  .refine(...changesSomething)

export const ArticleFilter = z
  .object({
    isPublished: z.boolean().describe('True for published articles, false for drafts.'),
    collectionId: idText.describe('Articles of the collection with this id.'),
    text: text(200).describe('A text of 1 to 200 characters that the title, excerpt or body contains, ignoring case.'),
  })
  .partial()

/** An article with its collection. */
export type ArticleWithCollection = Article & { collection: Collection | null }
/** An article in a list, without its body. */
export type ArticleSummary = Omit<ArticleWithCollection, 'body'>

const WITH_COLLECTION = { collection: true } as const

/**
 * The articles of the workspace, newest first, without their bodies. `text` matches the title, excerpt and body.
 * @param options withBodies: whether the limit of the page includes the bodies
 */
export async function listArticles(
  deps: Deps,
  actor: Actor,
  filter: z.input<typeof ArticleFilter>,
  page: PageRequest,
  { withBodies = false }: { withBodies?: boolean } = {},
): Promise<Page<ArticleSummary>> {
  requireLevel(actor, 'READ_ONLY')
  const { isPublished, collectionId, text: words } = parse(ArticleFilter, filter)
  // Prisma passes LIKE's wildcards through.
  const like = { contains: (words ?? '').replace(/[\\%_]/g, '\\$&'), mode: 'insensitive' } as const
  const wanted = {
    ...(isPublished !== undefined && { isPublished }),
    ...(collectionId !== undefined && { collectionId }),
    ...(words !== undefined && { OR: [{ title: like }, { excerpt: like }, { body: like }] }),
  }
  const where = { AND: [visibleArticles(actor), wanted] }
  const { article } = deps.db.prisma
  const sizes = new Map<string, number>()
  return newestFirst(page, {
    find: async (range) => {
      const found = await article.findMany({
        ...range,
        where: { AND: [where, range.where] },
        omit: { body: true },
        include: WITH_COLLECTION,
      })
      if (withBodies) for (const { id, bytes } of await bodySizes(deps, found)) sizes.set(id, bytes)
      return found
    },
    count: () => article.count({ where }),
    sizeOf: (summary) => jsonBytes(summary) + (sizes.get(summary.id) ?? 0),
  })
}

/** The maximum size of the bodies as JSON, where line ends, tabs, quotes and backslashes take two bytes. */
function bodySizes({ db }: Deps, articles: readonly { id: string }[]): Promise<{ id: string; bytes: number }[]> {
  return db.prisma.$queryRaw`
    SELECT id, octet_length(to_json(body)::text) AS bytes FROM articles WHERE id = ANY(${articles.map(({ id }) => id)}::text[])`
}

const ArticleKey = z
  .object({ id: z.string(), slug: z.string() })
  .partial()
  .refine(...hasOneKey)

/** The article with an id or a slug that the actor may see, or null. @throws ValidationError unless exactly one is given */
export async function findArticle(
  deps: Deps,
  actor: Actor,
  key: z.input<typeof ArticleKey>,
): Promise<ArticleSummary | null> {
  requireLevel(actor, 'READ_ONLY')
  const { id, slug } = parse(ArticleKey, key)
  const isPossible = id === undefined ? Slug.safeParse(slug).success : kindOfId(id) === 'article'
  if (!isPossible) return null
  const where = { ...visibleArticles(actor), ...omitUndefined({ id, slug }) }
  return deps.db.prisma.article.findFirst({ where, omit: { body: true }, include: WITH_COLLECTION })
}

/** @throws NotFoundError */
export async function getArticle(deps: Deps, actor: Actor, id: string): Promise<ArticleWithCollection> {
  requireLevel(actor, 'READ_ONLY')
  requireId('article', id, 'Article')
  const where = { id, ...visibleArticles(actor) }
  const article = await deps.db.prisma.article.findFirst({ where, include: WITH_COLLECTION })
  if (article === null) throw new NotFoundError('Article')
  return article
}

/**
 * Creates an article. The default slug is derived from the title.
 * @throws ValidationError, also for an unknown collection; ConflictError when the slug is taken
 */
export async function createArticle(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof ArticleInput>,
): Promise<ArticleWithCollection> {
  requireLevel(actor, 'READ_WRITE')
  const {
    title,
    slug,
    body = '',
    excerpt = null,
    collectionId = null,
    isPublished = false,
  } = parse(ArticleInput, input)
  const id = newId('article')
  const createdAt = deps.clock.now()
  const text = { title, slug: slug ?? slugOf(title, id), body, excerpt }
  const state = { isPublished, publishedAt: isPublished ? createdAt : null, createdAt }
  const data = { id, workspaceId: actor.workspaceId, collectionId, ...text, ...state }
  return inTransaction(deps, (tx) =>
    refuse(tx.db.article.create({ data, include: WITH_COLLECTION }), data.collectionId),
  )
}

/**
 * Updates an article. Publishing it sets `publishedAt`, and unpublishing clears it. A new title keeps the slug, so that
 * links continue to work.
 * @throws NotFoundError; ValidationError; ConflictError when the slug is taken
 */
export async function updateArticle(
  deps: Deps,
  actor: Actor,
  id: string,
  input: z.input<typeof ArticlePatch>,
): Promise<ArticleWithCollection> {
  requireLevel(actor, 'READ_WRITE')
  requireId('article', id, 'Article')
  const { collectionId, ...patch } = parse(ArticlePatch, input)
  const { workspaceId } = actor
  return inTransaction(deps, async (tx) => {
    const [found] = await tx.db.$queryRaw<{ is_published: boolean }[]>`
      SELECT is_published FROM articles WHERE id = ${id} AND workspace_id = ${workspaceId} FOR UPDATE`
    if (found === undefined) throw new NotFoundError('Article')
    const isTurned = patch.isPublished !== undefined && patch.isPublished !== found.is_published
    const publishedAt = isTurned ? { publishedAt: patch.isPublished ? deps.clock.now() : null } : {}
    const data = { ...omitUndefined(patch), ...(collectionId !== undefined && { collectionId }), ...publishedAt }
    return refuse(tx.db.article.update({ where: { id }, data, include: WITH_COLLECTION }), collectionId)
  })
}

/** The bodies of articles that the caller can see, in the order of their ids; empty for deleted articles. */
export async function articleBodies({ db }: Pick<Deps, 'db'>, ids: readonly string[]): Promise<string[]> {
  const rows = await db.prisma.article.findMany({ where: { id: { in: [...ids] } }, select: { id: true, body: true } })
  const bodies = new Map(rows.map(({ id, body }) => [id, body]))
  return ids.map((id) => bodies.get(id) ?? '')
}

/** The same page with bodies. It was listed with `withBodies`. */
export async function withBodies(deps: Pick<Deps, 'db'>, page: Page<ArticleSummary>): Promise<Page<Article>> {
  const bodies = await articleBodies(
    deps,
    page.rows.map(({ id }) => id),
  )
  return { ...page, rows: page.rows.map((article, index) => ({ ...article, body: bodies[index] ?? '' })) }
}

/** @throws NotFoundError; ForbiddenError below FULL_ACCESS */
export async function deleteArticle(deps: Deps, actor: Actor, id: string): Promise<void> {
  requireLevel(actor, 'FULL_ACCESS')
  requireId('article', id, 'Article')
  await inTransaction(deps, async (tx) => {
    const where = { id, workspaceId: actor.workspaceId }
    const found = await tx.db.article.findFirst({ where, select: { title: true } })
    const { count } = await tx.db.article.deleteMany({ where })
    if (found === null || count === 0) throw new NotFoundError('Article')
    const target = { type: 'article', id, name: found.title } as const
    await recordAudit(tx, actor, { action: 'article.deleted', target, at: deps.clock.now() })
  })
}

/** Relies on the unique index instead of a check before: of two concurrent calls with one slug, one succeeds. */
function refuse<T>(writing: Promise<T>, collectionId: string | null | undefined): Promise<T> {
  return writing.catch((error: unknown) => {
    if (isUniqueViolation(error))
      throw new ConflictError('Another article of this workspace already has this slug', 'slug')
    if (collectionId != null && isForeignKeyViolation(error)) {
      throw new ValidationError([{ path: 'collectionId', message: 'is not a collection of this workspace' }])
    }
    throw error
  })
}

/** `Übergabe & Rückgabe!` → `ubergabe-ruckgabe`; a title without Latin letters gets the id of the article. */
function slugOf(title: string, id: string): string {
  const plain = title
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase()
  const slug = plain
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_SLUG)
    .replace(/^-+|-+$/g, '')
  return slug === '' ? id.replace('_', '-') : slug
}
