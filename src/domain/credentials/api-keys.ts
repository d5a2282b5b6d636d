import { z } from 'zod'
import type { ApiKey, Prisma } from '../../generated/prisma/client.ts'
import { ApiKeyPermission } from '../../generated/prisma/enums.ts'
import { inTransaction, type Tx } from '../../infra/database/transaction.ts'
import { newApiKey, sha256 } from '../../infra/secrets.ts'
import { type AuditActor, type AuditTarget, recordAudit, recordAudits } from '../audit/audit.ts'
import type { Actor, Caller } from '../shared/actor.ts'
import { hasLevel, requireLevel, requireNotAgent } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { ForbiddenError, NotFoundError, UnauthorizedError, ValidationError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { instant, parse, requireId, text } from '../shared/input.ts'
import { newestFirst, type Page, type PageRequest } from '../shared/pagination.ts'
import { recordAgentsOrphanedByKeys } from './agent-installers.ts'

export const CreateApiKey = z.object({
  name: text(100),
  permission: z.enum(ApiKeyPermission),
  expiresAt: instant.nullish(),
  /** Whether the key is valid in all workspaces of the actor's user instead of this one. */
  isForAllWorkspaces: z.boolean().optional(),
})

/** The credential of the caller, and its scope. */
type Reach = Pick<Caller, 'workspaceId'> & Partial<Pick<Caller, 'credentialId'>>

const PREFIX_LENGTH = 8

/** The stored columns of a key, which do not include the key itself. */
export function apiKeyRow(key: string): Pick<ApiKey, 'id' | 'hash' | 'prefix'> {
  return { id: newId('apiKey'), hash: sha256(key), prefix: key.slice(0, PREFIX_LENGTH) }
}

/**
 * Creates a key for the actor's user, for this workspace or for all of their workspaces.
 * @returns the row, and the key itself, which cannot be read again
 * @throws ForbiddenError below FULL_ACCESS, and for an all-workspaces key when the credential is limited to one
 *   workspace or the address of the person is not verified; UnauthorizedError when the credential ended meanwhile
 */
export async function createApiKey(
  deps: Deps,
  actor: Actor,
  input: z.input<typeof CreateApiKey>,
  reach: Reach = actor,
): Promise<{ apiKey: ApiKey; key: string }> {
  requireLevel(actor, 'FULL_ACCESS')
  const { user, workspaceId } = actor
  if (user === null) throw new ForbiddenError('API keys belong to users: use a key that belongs to a user')
  const { name, permission, expiresAt = null, isForAllWorkspaces: allWorkspaces = false } = parse(CreateApiKey, input)
  if (allWorkspaces && reach.workspaceId !== null) {
    throw new ForbiddenError('A key of one workspace cannot create an all-workspaces key: sign in instead')
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
    await requireMayMakeKey(tx, user.id, reach, allWorkspaces)
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

/**
 * Waits for whoever is ending the person's credentials at this moment: what those ended must not leave a key behind.
 * @throws ForbiddenError, UnauthorizedError
 */
async function requireMayMakeKey(
  tx: Tx,
  userId: string,
  { credentialId }: Reach,
  allWorkspaces: boolean,
): Promise<void> {
  await tx.db.$queryRaw`SELECT id FROM users WHERE id = ${userId} FOR SHARE`
  if (credentialId !== undefined) {
    const sessions = await tx.db.session.count({ where: { id: credentialId } })
    const keys = await tx.db.apiKey.count({ where: { id: credentialId, revokedAt: null } })
    if (sessions + keys === 0) throw new UnauthorizedError('Your credential is no longer valid')
  }
  if (!allWorkspaces) return
  const { emailVerifiedAt } = await tx.db.user.findUniqueOrThrow({ where: { id: userId } })
  if (emailVerifiedAt !== null) return
  throw new ForbiddenError(
    'A key of all workspaces needs a verified email address: sign in once with a sign-in link that was sent to it',
  )
}

function targetOf({ id, name }: Pick<ApiKey, 'id' | 'name'>): AuditTarget {
  return { type: 'api_key', id, name }
}

/** @throws ForbiddenError for agents, and for keys below FULL_ACCESS: a leaked key must not reach further */
function requirePerson(actor: Actor, what: string): void {
  requireNotAgent(actor, what)
  if (actor.type !== 'member') requireLevel(actor, 'FULL_ACCESS')
}

/** A person's own keys that are valid in the workspace. Agents' keys belong to the workspace instead. */
function ownApiKeys({ user, workspaceId }: Actor, reach: Reach): Prisma.ApiKeyWhereInput {
  const scopes = [{ workspaceId }, ...(reach.workspaceId === null ? [{ workspaceId: null }] : [])]
  return { userId: user?.id ?? '', agentId: null, OR: scopes }
}

/**
 * The keys that an actor can see and revoke, as a Prisma filter: with FULL_ACCESS, the keys of the workspace; for
 * signed-in people and all-workspaces keys with FULL_ACCESS, also their own.
 */
export function visibleApiKeys(actor: Actor, reach: Reach): { OR: Prisma.ApiKeyWhereInput[] } {
  const isFull = hasLevel(actor.permission, 'FULL_ACCESS')
  const { workspaceId } = actor
  return {
    OR: [
      ...(isFull ? [{ workspaceId }] : []),
      ...(isFull || actor.type === 'member' ? [ownApiKeys(actor, reach)] : []),
    ],
  }
}

/** The keys that the actor can see, newest first, including revoked ones. @throws ForbiddenError below FULL_ACCESS */
export async function listApiKeys(
  deps: Deps,
  actor: Actor,
  page: PageRequest,
  reach: Reach = actor,
): Promise<Page<ApiKey>> {
  requireLevel(actor, 'FULL_ACCESS')
  return listKeys(deps, visibleApiKeys(actor, reach), page)
}

/**
 * The caller's own keys, regardless of their role: those of this workspace, and all-workspaces keys if the credential
 * is not limited to one workspace. Newest first, including revoked ones.
 * @throws ForbiddenError for agents, and for keys below FULL_ACCESS
 */
export async function listOwnApiKeys(
  deps: Deps,
  actor: Actor,
  page: PageRequest,
  reach: Reach = actor,
): Promise<Page<ApiKey>> {
  requirePerson(actor, "see a person's keys")
  return listKeys(deps, ownApiKeys(actor, reach), page)
}

function listKeys({ db }: Deps, where: Prisma.ApiKeyWhereInput, page: PageRequest): Promise<Page<ApiKey>> {
  const { apiKey } = db.prisma
  return newestFirst(page, {
    find: (range) => apiKey.findMany({ ...range, where: { AND: [where, range.where] } }),
    count: () => apiKey.count({ where }),
  })
}

/**
 * Revokes a key at once: with FULL_ACCESS any key of the workspace, otherwise the caller's own. Revoking it again
 * changes nothing.
 * @throws ForbiddenError for agents, and for keys below FULL_ACCESS; NotFoundError
 */
export async function revokeApiKey(deps: Deps, actor: Actor, id: string, reach: Reach = actor): Promise<ApiKey> {
  requirePerson(actor, 'revoke keys')
  requireId('apiKey', id, 'API key')
  const visible = { id, ...visibleApiKeys(actor, reach) }
  const at = deps.clock.now()
  return inTransaction(deps, async (tx) => {
    const { count } = await tx.db.apiKey.updateMany({ where: { ...visible, revokedAt: null }, data: { revokedAt: at } })
    const row = await tx.db.apiKey.findFirst({ where: visible })
    if (row === null) throw new NotFoundError('API key')
    if (count > 0) {
      await recordAudit(tx, actor, { action: 'api_key.revoked', target: targetOf(row), at })
      await recordAgentsOrphanedByKeys(tx, actor, [row], at)
    }
    return row
  })
}

/**
 * Revokes all keys of a person in all workspaces, except those of agents that they installed. The log of each workspace
 * records it, with the remaining agents that were installed with those keys.
 * @returns the number of revoked keys
 */
export async function revokeOwnKeys(tx: Tx, actor: AuditActor, userId: string, at: Date): Promise<number> {
  const revoked = await tx.db.apiKey.updateManyAndReturn({
    where: { userId, agentId: null, revokedAt: null },
    data: { revokedAt: at },
    select: { id: true, name: true, userId: true, workspaceId: true },
  })
  await recordAudits(
    tx,
    revoked.map((key) => [
      { ...actor, workspaceId: key.workspaceId },
      { action: 'api_key.revoked', target: targetOf(key), at },
    ]),
  )
  await recordAgentsOrphanedByKeys(tx, actor, revoked, at)
  return revoked.length
}
