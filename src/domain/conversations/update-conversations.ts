import { z } from 'zod'
import type { Actor } from '../shared/actor.ts'
import { requireLevel } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { DomainError, UnavailableError, ValidationError } from '../shared/errors.ts'
import { parse } from '../shared/input.ts'
import type { ConversationWithPeople } from './conversations.ts'
import { applyPatch, ConversationPatch, Tags } from './update-conversation.ts'

/** The maximum of ids in one call. */
export const MAX_CONVERSATIONS = 100

/** Which conversations to change: each once, in the order in which they are named first. */
const ConversationIds = z
  .array(z.string())
  .max(MAX_CONVERSATIONS, `must have at most ${MAX_CONVERSATIONS} ids`)
  .transform((ids) => [...new Set(ids)])

const Many = z.object({ ids: ConversationIds })

export const TagChange = z.object({ conversationIds: ConversationIds, tags: Tags })

/** What became of one of many conversations: it in its new state, or why it was left as it is. */
export interface ConversationOutcome {
  readonly conversationId: string
  readonly conversation: ConversationWithPeople | null
  readonly error: DomainError | null
}

/**
 * Makes the same changes to many conversations, as updateConversation does to one, each in a transaction of its own: one
 * that is refused does not keep the others from being changed. Doing it again changes nothing, so a call that failed in
 * its middle can be repeated.
 * @param ids at most 100
 * @returns an outcome for each distinct id
 * @throws ForbiddenError; ValidationError for too many ids and for changes that no conversation can have: nothing was changed then
 */
export function updateConversations(
  deps: Deps,
  actor: Actor,
  ids: readonly string[],
  input: z.input<typeof ConversationPatch>,
): Promise<ConversationOutcome[]> {
  requireLevel(actor, 'READ_WRITE')
  const wanted = parse(Many, { ids })
  const patch = parse(ConversationPatch, input)
  return forEach(wanted.ids, (id) => applyPatch(deps, actor, id, patch))
}

/**
 * Adds tags to many conversations, in addition to whatever tags others add or remove at the same time.
 * @returns an outcome for each distinct id
 * @throws ForbiddenError; ValidationError for too many ids or tags
 */
export function addTags(deps: Deps, actor: Actor, input: z.input<typeof TagChange>): Promise<ConversationOutcome[]> {
  requireLevel(actor, 'READ_WRITE')
  const { conversationIds, tags } = parse(TagChange, input)
  return forEach(conversationIds, (id) => applyPatch(deps, actor, id, { addTags: tags }).catch(nameTags))
}

/** Removes tags from many conversations; those that a conversation does not have are ignored. Otherwise as addTags. */
export function removeTags(deps: Deps, actor: Actor, input: z.input<typeof TagChange>): Promise<ConversationOutcome[]> {
  requireLevel(actor, 'READ_WRITE')
  const { conversationIds, tags } = parse(TagChange, input)
  return forEach(conversationIds, (id) => applyPatch(deps, actor, id, { removeTags: tags }))
}

/** What a patch calls addTags is called tags here. */
function nameTags(error: unknown): never {
  if (!(error instanceof ValidationError)) throw error
  throw new ValidationError(error.fields.map((field) => ({ ...field, path: 'tags' })))
}

/** One after the other: together they would take the connections from everybody else. */
async function forEach(
  ids: readonly string[],
  change: (id: string) => Promise<ConversationWithPeople>,
): Promise<ConversationOutcome[]> {
  const outcomes: ConversationOutcome[] = []
  for (const conversationId of ids) {
    try {
      outcomes.push({ conversationId, conversation: await change(conversationId), error: null })
    } catch (error) {
      if (!(error instanceof DomainError) || error instanceof UnavailableError) throw error
      outcomes.push({ conversationId, conversation: null, error })
    }
  }
  return outcomes
}
