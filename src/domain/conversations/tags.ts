import { z } from 'zod'
import { Prisma } from '../../infra/database/db.ts'
import type { Actor } from '../shared/actor.ts'
import { requireLevel, requireStaff } from '../shared/authorization.ts'
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
type TagKey = z.output<typeof TagKey>

/** Tags in the order of the alphabet, whatever their case; the database's own order would differ from one to the next. */
const BY_NAME = Prisma.sql`lower(name) COLLATE "C", name COLLATE "C"`

/**
 * The tags of the workspace's conversations, in the order of the alphabet.
 * @param filter text: what they begin with, in whatever case
 * @throws ForbiddenError for visitors; ValidationError
 */
export async function listTags(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  filter: z.input<typeof TagFilter>,
  page: PageRequest,
): Promise<Page<Tag>> {
  requireLevel(actor, 'READ_ONLY')
  requireStaff(actor)
  const { text: prefix } = parse(TagFilter, filter)
  const where = and([
    Prisma.sql`workspace_id = ${actor.workspaceId} AND conversation_count > 0`,
    prefix !== undefined && Prisma.sql`name ILIKE ${`${prefix.replace(/[\\%_]/g, '\\$&')}%`}`,
  ])
  const place = ([key, name]: TagKey) => Prisma.sql`(${key} COLLATE "C", ${name} COLLATE "C")`
  return paginate<FoundTag, TagKey>(page, {
    cursorKey: TagKey,
    cursorKeyOf: ({ sortKey, name }) => [sortKey, name],
    find: ({ after, before, take, reverse }) => {
      const range = and([
        after !== null && Prisma.sql`(${BY_NAME}) > ${place(after)}`,
        before !== null && Prisma.sql`(${BY_NAME}) < ${place(before)}`,
      ])
      const order = reverse ? Prisma.sql`lower(name) COLLATE "C" DESC, name COLLATE "C" DESC` : BY_NAME
      return queryRows<FoundTag>(
        { db },
        Prisma.sql`
          SELECT name, lower(name) AS "sortKey", conversation_count AS "conversationCount"
            FROM tags WHERE ${where} AND ${range} ORDER BY ${order} LIMIT ${take}`,
      )
    },
    count: async () => {
      const [row] = await queryRows<{ total: string }>(
        { db },
        Prisma.sql`SELECT count(*) AS total FROM tags WHERE ${where}`,
      )
      return Number(row?.total ?? 0)
    },
  })
}
