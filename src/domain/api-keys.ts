import { z } from 'zod'
import type { ApiKey, Prisma } from '../generated/prisma/client.ts'
import { ApiKeyPermission } from '../generated/prisma/enums.ts'
import { newApiKey, sha256 } from '../infra/secrets.ts'
import { inTransaction } from '../infra/transaction.ts'
import type { Actor, Caller } from './actor.ts'
import { type AuditTarget, recordAudit } from './audit.ts'
import type { Deps } from './deps.ts'
import { ForbiddenError, NotFoundError, ValidationError } from './errors.ts'
import { newId } from './ids.ts'
import { instant, parse, requireId, text } from './input.ts'
import { newestFirst, type Page, type PageRequest } from './page.ts'
import { requireLevel, requireNotAgent } from './policy.ts'

export const CreateApiKey = z.object({
  name: text(100),
  permission: z.enum(ApiKeyPermission),
  expiresAt: instant.nullish(),
  /** Valid in all workspaces of the actor's person, instead of this one. */
  allWorkspaces: z.boolean().optional(),
})

/** How far the credential reaches that asks: a caller's own scope. */
type Reach = Pick<Caller, 'workspaceId'>

const PREFIX_LENGTH = 8

/** The columns that stand for a key: everything but the key itself. */
export function apiKeyRow(key: string): Pick<ApiKey, 'id' | 'hash' | 'prefix'> {
  return { id: newId('apiKey'), hash: sha256(key), prefix: key.slice(0, PREFIX_LENGTH) }
}

/**
 * Makes a key in the name of the actor's user, for this workspace or for all of theirs.
 * @returns the row, and the key itself, which cannot be read again
 * @throws ForbiddenError below FULL_ACCESS, and when a credential of one workspace asks for a key of all
 */
export async function createApiKey(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof CreateApiKey>,
  reach: Reach = actor,
): Promise<{ apiKey: ApiKey; key: string }> {
  requireLevel(actor, 'FULL_ACCESS')
  const { user, workspaceId } = actor
  if (user === null) throw new ForbiddenError('API keys belong to people: use a key that belongs to a user')
  const { name, permission, expiresAt = null, allWorkspaces = false } = parse(CreateApiKey, input)
  if (allWorkspaces && reach.workspaceId !== null) {
    throw new ForbiddenError('A key of one workspace cannot make one of all workspaces: sign in to do that')
  }
  if (expiresAt !== null && expiresAt <= deps.clock.now()) {
    throw new ValidationError([{ path: 'expiresAt', message: 'must be in the future' }])
  }
  const key = newApiKey()
  const data = {
    ...apiKeyRow(key),
    name,
    permission,
    userId: user.id,
    workspaceId: allWorkspaces ? null : workspaceId,
    expiresAt,
  }
  return inTransaction(deps, async (tx) => {
    const apiKey = await tx.db.apiKey.create({ data })
    await recordAudit(tx, actor, {
      action: 'api_key.created',
      target: targetOf(apiKey),
      data: { permission, allWorkspaces, ...(expiresAt !== null && { expiresAt: expiresAt.toISOString() }) },
      at: deps.clock.now(),
    })
    return { apiKey, key }
  })
}

function targetOf({ id, name }: ApiKey): AuditTarget {
  return { type: 'api_key', id, name }
}

/**
 * The keys that an actor with FULL_ACCESS may see, as a Prisma filter: the workspace's, and, for whoever reaches all of
 * their workspaces, their own all-workspaces keys.
 */
export function visibleApiKeys({ workspaceId, user }: Actor, reach: Reach): Prisma.ApiKeyWhereInput {
  if (reach.workspaceId !== null || user === null) return { workspaceId }
  return { OR: [{ workspaceId }, { workspaceId: null, userId: user.id }] }
}

/** The keys that the actor may see, newest first, revoked ones included. */
export async function listApiKeys(
  deps: Deps,
  actor: Actor,
  page: PageRequest,
  reach: Reach = actor,
): Promise<Page<ApiKey>> {
  requireLevel(actor, 'FULL_ACCESS')
  const where = visibleApiKeys(actor, reach)
  const { apiKey } = deps.db.prisma
  return newestFirst(page, {
    find: (slice) => apiKey.findMany({ ...slice, where: { AND: [where, slice.where] } }),
    count: () => apiKey.count({ where }),
  })
}

/** Ends a key at once. Revoking it again changes nothing. @throws NotFoundError */
export async function revokeApiKey(deps: Deps, actor: Actor, id: string, reach: Reach = actor): Promise<ApiKey> {
  requireLevel(actor, 'FULL_ACCESS')
  requireNotAgent(actor, 'revoke keys')
  requireId('apiKey', id, 'API key')
  const own = { id, ...visibleApiKeys(actor, reach) }
  const at = deps.clock.now()
  return inTransaction(deps, async (tx) => {
    const { count } = await tx.db.apiKey.updateMany({ where: { ...own, revokedAt: null }, data: { revokedAt: at } })
    const row = await tx.db.apiKey.findFirst({ where: own })
    if (row === null) throw new NotFoundError('API key')
    if (count > 0) await recordAudit(tx, actor, { action: 'api_key.revoked', target: targetOf(row), at })
    return row
  })
}
