import type { Article } from '../../generated/prisma/client.ts'
import { Prisma } from '../../infra/database/db.ts'
import type { Actor } from '../shared/actor.ts'
import { visibleArticles } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { jsonBytes } from '../shared/page-budget.ts'
import { columnsAs, type OwnedRange, rangeOfEach } from '../shared/page-sql.ts'

/** An article without its body, and what that takes as JSON at most; 0 when nobody asked for bodies. */
export type CollectedArticle = Omit<Article, 'body'> & { readonly bodyBytes: number }

/** A place in the articles of a collection. */
export interface CollectedRange extends OwnedRange {
  /** Whether the page must have bytes for the bodies, too. */
  readonly withBodies: boolean
}

export function sizeOfArticle({ bodyBytes, ...article }: CollectedArticle): number {
  return jsonBytes(article) + bodyBytes
}

const COLUMNS = columnsAs(
  'r',
  Object.values(Prisma.ArticleScalarFieldEnum).filter((field) => field !== 'body'),
)

/** The same range of the articles of many of the workspace's collections, newest first, as far as the actor may see them. */
export async function articlesOfCollections(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  collectionIds: readonly string[],
  { withBodies, ...range }: CollectedRange,
): Promise<Map<string, CollectedArticle[]>> {
  const { workspaceId, isPublished } = visibleArticles(actor)
  const published = isPublished === undefined ? Prisma.empty : Prisma.sql`AND r.is_published = ${isPublished}`
  const bytes = withBodies ? Prisma.sql`octet_length(to_json(r.body)::text)` : Prisma.sql`0`
  const rows = await db.prisma.$queryRaw<(CollectedArticle & { ownerId: string })[]>(
    rangeOfEach(
      collectionIds,
      {
        columns: Prisma.sql`${COLUMNS}, ${bytes} AS "bodyBytes"`,
        from: Prisma.sql`articles r`,
        where: Prisma.sql`r.collection_id = owner.id AND r.workspace_id = ${workspaceId} ${published}`,
      },
      range,
    ),
  )
  return Map.groupBy(rows, ({ ownerId }) => ownerId)
}

/** How many articles each collection has that the actor may see; collections without any are left out. */
export async function countArticlesOfCollections(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  collectionIds: readonly string[],
): Promise<Map<string, number>> {
  const where = { ...visibleArticles(actor), collectionId: { in: [...collectionIds] } }
  const counts = await db.prisma.article.groupBy({ by: ['collectionId'], where, _count: true })
  return new Map(counts.map(({ collectionId, _count }) => [collectionId ?? '', _count]))
}
