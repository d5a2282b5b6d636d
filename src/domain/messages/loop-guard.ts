import type { Tx } from '../../infra/database/transaction.ts'
import type { Actor } from '../shared/actor.ts'
import type { Deps } from '../shared/deps.ts'
import { LoopDetectedError } from '../shared/errors.ts'

/** BOT messages are counted over this time; the visitor's messages over ANSWERED_WINDOW_MS before the last of them. */
const LOOP_WINDOW_MS = 60_000

const ANSWERED_WINDOW_MS = 600_000

/** The number of BOT messages that is always allowed. */
const LOOP_LIMIT = 20

/** A BOT message before it is added. */
interface PendingMessage {
  readonly conversation: { readonly id: string }
  readonly at: Date
}

/**
 * Limits BOT messages (the contract, "Replying"): those of the last minute, after the visitor's latest message, must
 * not exceed the number of the visitor's messages in the ten minutes before that message, or 20 if there are fewer.
 * Reads two indexes, no further back than the BOT messages that it found.
 * @throws LoopDetectedError
 */
export async function refuseLoop(tx: Tx, { counts, log }: Deps, actor: Actor, message: PendingMessage): Promise<void> {
  const { conversation, at } = message
  const since = new Date(at.getTime() - LOOP_WINDOW_MS)
  const [oldest] = await tx.db.$queryRaw<{ most: number; createdAt: Date }[]>`
    WITH asked AS MATERIALIZED (
      SELECT sequence, created_at FROM messages
       WHERE conversation_id = ${conversation.id} AND type = 'VISITOR' ORDER BY sequence DESC LIMIT 1
    ), bots AS MATERIALIZED (
      SELECT sequence, created_at FROM messages
       WHERE conversation_id = ${conversation.id} AND type = 'BOT' AND created_at > ${since}
         AND sequence > COALESCE((SELECT sequence FROM asked), 0)
    ), answerable AS (
      SELECT created_at FROM messages
       WHERE conversation_id = ${conversation.id} AND type = 'VISITOR' AND (SELECT count(*) FROM bots) >= ${LOOP_LIMIT}::int
       ORDER BY sequence DESC LIMIT (SELECT count(*) + 1 FROM bots)
    ), allowed AS MATERIALIZED (
      SELECT GREATEST(${LOOP_LIMIT}::int, count(*)::int) AS most FROM answerable
       WHERE created_at > (SELECT created_at FROM asked) - ${ANSWERED_WINDOW_MS}::int * interval '1 millisecond'
    )
    SELECT most, created_at AS "createdAt" FROM bots, allowed
     ORDER BY sequence DESC OFFSET (SELECT most - 1 FROM allowed) LIMIT 1`
  if (oldest === undefined) return
  counts.loopsRefused++
  const where = { workspaceId: actor.workspaceId, conversationId: conversation.id, actorId: actor.id }
  log.warn({ ...where, limit: oldest.most }, 'bot message loop stopped')
  throw new LoopDetectedError(oldest.most, oldest.createdAt.getTime() + LOOP_WINDOW_MS - at.getTime())
}
