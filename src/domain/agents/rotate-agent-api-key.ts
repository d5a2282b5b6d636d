import { z } from 'zod'
import type { Agent, ApiKey } from '../../generated/prisma/client.ts'
import { inTransaction } from '../../infra/database/transaction.ts'
import { newApiKey } from '../../infra/secrets.ts'
import { recordAudit } from '../audit/audit.ts'
import { apiKeyRow } from '../credentials/api-keys.ts'
import type { Actor } from '../shared/actor.ts'
import { requireLevel, requireNotAgent } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { ConflictError, ForbiddenError, NotFoundError } from '../shared/errors.ts'
import { idText, parse, requireId } from '../shared/input.ts'
import { OverlapHours, overlapEnd } from '../webhooks/secret-rotation.ts'

export const RotateAgentApiKey = z.object({ agentId: idText, overlapHours: OverlapHours })

/**
 * Gives an agent a new API key. The old key works until the overlap ends; without an overlap, it ends at once. An agent
 * has at most two keys: during an overlap, the next rotation must have no overlap, and ends both. An agent whose key
 * was revoked gets a new one in the same way.
 *
 * An agent cannot rotate its own key: a thief of the key could lock the agent out.
 * @returns the key's row, and the key itself, which cannot be read again
 * @throws ForbiddenError below FULL_ACCESS and for agents; NotFoundError; ValidationError; ConflictError while an older
 *   key is still valid, unless overlapHours is 0
 */
export async function rotateAgentApiKey(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof RotateAgentApiKey>,
): Promise<{ agent: Agent; apiKey: ApiKey; key: string }> {
  requireLevel(actor, 'FULL_ACCESS')
  requireNotAgent(actor, 'make keys')
  const { user, workspaceId } = actor
  if (user === null) throw new ForbiddenError('API keys belong to users: use a key that belongs to a user')
  const { agentId, overlapHours } = parse(RotateAgentApiKey, input)
  requireId('agent', agentId, 'Agent')
  const key = newApiKey()
  return inTransaction(deps, async (tx) => {
    // Concurrent rotations wait here for each other.
    await tx.db.$queryRaw`
      SELECT id FROM agents WHERE id = ${agentId} AND workspace_id = ${workspaceId} FOR NO KEY UPDATE`
    const agent = await tx.db.agent.findFirst({ where: { id: agentId, workspaceId } })
    if (agent === null) throw new NotFoundError('Agent')
    const at = deps.clock.now()
    const expiresAt = overlapEnd(at, overlapHours)
    const isRetiring = { agentId, revokedAt: null, expiresAt: { gt: at } }
    if (expiresAt !== null && (await tx.db.apiKey.count({ where: isRetiring })) > 0) {
      throw new ConflictError(
        "This agent's key is being rotated: wait for the end of the overlap, or rotate with overlapHours 0, which ends both keys at once",
      )
    }
    const old = expiresAt === null ? { agentId, revokedAt: null } : { agentId, revokedAt: null, expiresAt: null }
    await tx.db.apiKey.updateMany({ where: old, data: expiresAt === null ? { revokedAt: at } : { expiresAt } })
    const scope = { name: agent.name, permission: 'READ_WRITE', userId: user.id, workspaceId, agentId } as const
    const apiKey = await tx.db.apiKey.create({ data: { ...apiKeyRow(key), ...scope, createdAt: at } })
    const target = { type: 'agent', id: agentId, name: agent.name } as const
    await recordAudit(tx, actor, { action: 'agent.key_rotated', target, data: { overlapHours }, at })
    return { agent, apiKey, key }
  })
}
