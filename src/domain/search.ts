import { Prisma } from '../infra/db.ts'
import type { Actor } from './actor.ts'
import { text } from './input.ts'

/** What somebody looks for: 1 to 200 characters. */
export const SearchText = text(200)

/**
 * A query for the ids of conversations that have all of the words in one message, in the subject, or in the visitor's
 * name and email address. Case does not matter; the last word may be a beginning. Visitors find nothing in notes.
 *
 * The words are a parameter, and PostgreSQL quotes what it makes of them (search_query, in the migrations): whatever
 * somebody types, it is never syntax. Each part has an index that begins with the workspace.
 */
export function searchConversations(actor: Actor, searched: string): Prisma.Sql {
  const { workspaceId } = actor
  const query = Prisma.sql`search_query(${workspaceId}, ${searched.split(/\s+/u)}::text[])`
  const ofTypes = actor.type === 'visitor' ? Prisma.sql`AND type IN ('VISITOR', 'AGENT', 'BOT')` : Prisma.empty
  return Prisma.sql`
    SELECT conversation_id AS id FROM messages WHERE search_words(workspace_id, body) @@ ${query} ${ofTypes}
    UNION ALL
    SELECT id FROM conversations WHERE search_words(workspace_id, subject) @@ ${query}
    UNION ALL
    SELECT theirs.id FROM visitors v
      JOIN conversations theirs ON theirs.workspace_id = v.workspace_id AND theirs.visitor_id = v.id
     WHERE search_words(v.workspace_id, COALESCE(v.name, '') || ' ' || COALESCE(v.email, '')) @@ ${query}`
}
