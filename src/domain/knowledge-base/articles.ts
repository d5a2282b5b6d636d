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
  /** May be empty while it is written. */
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

export const ArticleFilter = z.object({ isPublished: z.boolean(), collectionId: idText, text: text(200) }).partial()

/** An article with the group that it is in. */
export type ArticleWithCollection = Article & { collection: Collection | null }
/** What lists show: an article's body may be long. */
export type ArticleSummary = Omit<ArticleWithCollection, 'body'>

const WITH_COLLECTION = { collection: true } as const

/**
 * The workspace's articles, newest first, without their bodies. `text` is looked for in title, excerpt and body.
 * @param options withBodies: whether the page must have bytes for the bodies, too
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

/** What the bodies take as JSON at most: line ends, tabs, quotes and backslashes are two bytes there. */
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
 * Writes an article. Without a slug, the title makes one.
 * @throws ValidationError, also for a collection that the workspace does not have; ConflictError when the slug is taken
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
 * Changes an article. Publishing it sets `publishedAt`, and taking it back clears that. A new title keeps the slug:
 * links to it go on working.
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

/** Bodies of articles that the caller has already been shown, in the order of their ids; empty for one that is gone. */
export async function articleBodies({ db }: Pick<Deps, 'db'>, ids: readonly string[]): Promise<string[]> {
  const rows = await db.prisma.article.findMany({ where: { id: { in: [...ids] } }, select: { id: true, body: true } })
  const bodies = new Map(rows.map(({ id, body }) => [id, body]))
  return ids.map((id) => bodies.get(id) ?? '')
}

/** The same page with bodies: one that was listed with bytes for them. */
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

/** The database is asked, not looked into before: of two who take a slug at once, one has it. */
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

/** `Übergabe & Rückgabe!` → `ubergabe-ruckgabe`; a title without Latin letters gets the article's own id. */
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
