import { z } from 'zod'
import { Prisma } from '../../infra/database/db.ts'
import type { Actor } from '../shared/actor.ts'
import { requireLevel, visibleConversations } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { parse, text } from '../shared/input.ts'
import { type Page, type PageRequest, paginate } from '../shared/pagination.ts'
import { and } from './conversation-filter.ts'
import { queryRows } from './find-conversations.ts'

/** A tag, and how many conversations have it. */
export interface Tag {
  readonly name: string
  readonly conversationCount: number
}

/** A tag with its place in the list. */
interface FoundTag extends Tag {
  readonly sortKey: string
}

export const TagFilter = z.object({ text: text(50) }).partial()

/** In lower case, which can have more characters, and as it is. */
const TagKey = z.tuple([text(200), text(50)])

/** Tags in the order of the alphabet, whatever their case; the database's own order would differ from one to the next. */
const BY_NAME = Prisma.sql`lower(name) COLLATE "C", name COLLATE "C"`

/**
 * The tags of the conversations that the actor may see, in the order of the alphabet.
 * @param filter text: what they begin with, in whatever case
 * @throws ValidationError
 */
export async function listTags(
  deps: Deps,
  actor: Actor,
  filter: z.input<typeof TagFilter>,
  page: PageRequest,
): Promise<Page<Tag>> {
  requireLevel(actor, 'READ_ONLY')
  const { text: prefix } = parse(TagFilter, filter)
  const tags = tagsOf(actor, prefix)
  return paginate<FoundTag, z.output<typeof TagKey>>(page, {
    cursorKey: TagKey,
    cursorKeyOf: ({ sortKey, name }) => [sortKey, name],
    find: async ({ after, before, take, reverse }) => {
      const place = (key: z.output<typeof TagKey>) => Prisma.sql`(${key[0]} COLLATE "C", ${key[1]} COLLATE "C")`
      const range = and([
        after !== null && Prisma.sql`(${BY_NAME}) > ${place(after)}`,
        before !== null && Prisma.sql`(${BY_NAME}) < ${place(before)}`,
      ])
      const order = reverse ? Prisma.sql`lower(name) COLLATE "C" DESC, name COLLATE "C" DESC` : BY_NAME
      const rows = await queryRows<{ name: string; sortKey: string; total: string }>(
        deps,
        Prisma.sql`SELECT name, lower(name) AS "sortKey", total FROM (${tags}) tag WHERE ${range} ORDER BY ${order} LIMIT ${take}`,
      )
      return rows.map(({ total, ...tag }) => ({ ...tag, conversationCount: Number(total) }))
    },
    count: async () => {
      const [row] = await queryRows<{ total: string }>(deps, Prisma.sql`SELECT count(*) AS total FROM (${tags}) tag`)
      return Number(row?.total ?? 0)
    },
  })
}

/**
 * A query for names and counts. Conversations have few different sets of tags: counting the sets first leaves little to take
 * apart, however many conversations there are.
 */
function tagsOf(actor: Actor, prefix: string | undefined): Prisma.Sql {
  const { workspaceId, visitorId } = visibleConversations(actor)
  const own = visitorId === undefined ? Prisma.empty : Prisma.sql`AND visitor_id = ${visitorId}`
  const begins =
    prefix === undefined ? Prisma.empty : Prisma.sql`WHERE name ILIKE ${`${prefix.replace(/[\\%_]/g, '\\$&')}%`}`
  return Prisma.sql`
    SELECT name, sum(counted.conversations)::int AS total
      FROM (SELECT tags, count(*) AS conversations FROM conversations
             WHERE workspace_id = ${workspaceId} AND tags <> '{}' ${own} GROUP BY tags) counted
     CROSS JOIN unnest(counted.tags) AS name ${begins}
     GROUP BY name`
}
