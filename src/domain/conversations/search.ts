import { Prisma } from '../../infra/database/db.ts'
import type { Actor } from '../shared/actor.ts'
import { text } from '../shared/input.ts'

/** What somebody looks for: 1 to 200 characters. */
export const SearchText = text(200)

/**
 * A search for conversations that have all of the words in one message, in the subject, or in the visitor's name and
 * email address. Case does not matter; the last word may be a beginning.
 *
 * The words are parameters, and PostgreSQL quotes what it makes of them (search_query, in the migrations): whatever
 * somebody types, it is never syntax.
 */
export interface Search {
  readonly workspaceId: string
  readonly words: string[]
  /** Visitors find nothing in notes. */
  readonly inNotes: boolean
}

export function searchFor({ type, workspaceId }: Actor, searched: string): Search {
  return { workspaceId, words: searched.split(/\s+/u), inNotes: type !== 'visitor' }
}

/** A query for the ids of all that is found, by indexes that begin with the workspace. */
export function foundBy({ workspaceId, words, inNotes }: Search): Prisma.Sql {
  return Prisma.sql`SELECT found AS id FROM search_conversations(${workspaceId}, ${words}::text[], ${inNotes}) AS found`
}

/** Whether one conversation is found, as a condition on `c`: reads all of its messages. */
export function isFoundBy({ workspaceId, words, inNotes }: Search): Prisma.Sql {
  const query = Prisma.sql`search_query(${workspaceId}, ${words}::text[])`
  const ofTypes = inNotes ? Prisma.empty : Prisma.sql`AND m.type IN ('VISITOR', 'AGENT', 'BOT')`
  return Prisma.sql`(
    COALESCE(search_words(c.workspace_id, c.subject) @@ ${query}, false)
    OR EXISTS (SELECT 1 FROM visitors v WHERE v.id = c.visitor_id
                  AND search_words(v.workspace_id, COALESCE(v.name, '') || ' ' || COALESCE(v.email, '')) @@ ${query})
    OR EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = c.id
                  AND search_words(m.workspace_id, m.body) @@ ${query} ${ofTypes}))`
}
