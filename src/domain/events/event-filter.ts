import { z } from 'zod'
import { Prisma } from '../../infra/database/db.ts'
import { idText, parse } from '../shared/input.ts'

/** Which events; all conditions must hold. */
export interface EventFilter {
  readonly types?: readonly string[] | null
  readonly conversationId?: string | null
  /** Test events too, which are not a part of what happened. */
  readonly includeTests?: boolean
}

const Filter = z.object({ conversationId: idText.nullish() })

/** @throws ValidationError when the filter names no possible conversation */
export function requireEventFilter(filter: EventFilter): void {
  parse(Filter, filter)
}

/** The filter as SQL that begins with AND, for a query of `events` alone. The same as isWanted. */
export function filterSql({ types, conversationId, includeTests = false }: EventFilter): Prisma.Sql {
  const ofTypes = types == null ? Prisma.empty : Prisma.sql`AND type = ANY(${[...types]})`
  const ofConversation = conversationId == null ? Prisma.empty : Prisma.sql`AND conversation_id = ${conversationId}`
  const real = includeTests ? Prisma.empty : Prisma.sql`AND NOT is_test`
  return Prisma.sql`${ofTypes} ${ofConversation} ${real}`
}

interface Filtered {
  readonly type: string
  readonly conversationId: string | null
  readonly isTest: boolean
}

/** Whether the filter lets an event through. The same as filterSql. */
export function isWanted(event: Filtered, { types, conversationId, includeTests = false }: EventFilter): boolean {
  if (types != null && !types.includes(event.type)) return false
  if (event.isTest && !includeTests) return false
  return conversationId == null || event.conversationId === conversationId
}
