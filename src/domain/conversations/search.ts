import { Prisma } from '../../infra/database/db.ts'
import type { Actor } from '../shared/actor.ts'
import { text } from '../shared/input.ts'

/** The text of a search: 1 to 200 characters. */
export const SearchText = text(200).describe(
  'A text search of 1 to 200 characters, ignoring case. One message or note, the subject, or the name and email address of the visitor must contain all of the words; the last word can be a prefix.',
)

/**
 * A search for conversations that contain all of the words in one message, in the subject, or in the visitor's name and
 * email address. It ignores case; the last word can be a prefix.
 *
 * The words are parameters, and the function search_query (in the migrations) quotes them, so user input is never query
 * syntax.
 */
export interface Search {
  readonly workspaceId: string
  readonly words: string[]
  /** Visitors do not find notes. */
  readonly inNotes: boolean
}

export function searchFor({ type, workspaceId }: Actor, searched: string): Search {
  return { workspaceId, words: searched.split(/\s+/u), inNotes: type !== 'visitor' }
}

/** A query for the ids of all matches, by indexes that begin with the workspace. */
export function foundBy({ workspaceId, words, inNotes }: Search): Prisma.Sql {
  return Prisma.sql`SELECT found AS id FROM search_conversations(${workspaceId}, ${words}::text[], ${inNotes}) AS found`
}

/** What is searched, as words: on `c`, a conversation, `v`, its visitor, and `m`, one of its messages. */
export const TEXTS = {
  subject: 'search_words(c.workspace_id, c.subject)',
  visitor: `search_words(v.workspace_id, COALESCE(v.name, '') || ' ' || COALESCE(v.email, ''))`,
  message: 'search_words(m.workspace_id, m.body)',
  /** A message that is no note. */
  isForVisitors: `m.type IN ('VISITOR', 'AGENT', 'BOT')`,
} as const

const SUBJECT = Prisma.raw(TEXTS.subject)
const VISITOR = Prisma.raw(TEXTS.visitor)
const MESSAGE = Prisma.raw(TEXTS.message)

/** Whether one conversation is found, as a condition on `c`: reads all of its messages. */
export function isFoundBy({ workspaceId, words, inNotes }: Search): Prisma.Sql {
  const query = Prisma.sql`search_query(${workspaceId}, ${words}::text[])`
  const ofTypes = inNotes ? Prisma.empty : Prisma.raw(`AND ${TEXTS.isForVisitors}`)
  return Prisma.sql`(
    COALESCE(${SUBJECT} @@ ${query}, false)
    OR EXISTS (SELECT 1 FROM visitors v WHERE v.id = c.visitor_id AND ${VISITOR} @@ ${query})
    OR EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = c.id AND ${MESSAGE} @@ ${query} ${ofTypes}))`
}
