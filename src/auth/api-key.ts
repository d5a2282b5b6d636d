import DataLoader from 'dataloader'
import type { Actor, Caller, Origin } from '../domain/shared/actor.ts'
import { effectivePermission } from '../domain/shared/authorization.ts'
import type { Deps } from '../domain/shared/deps.ts'
import { ForbiddenError, UnauthorizedError, ValidationError } from '../domain/shared/errors.ts'
import { kindOfId } from '../domain/shared/ids.ts'
import type { ApiKeyPermission, MemberRole, Plan } from '../generated/prisma/enums.ts'
import { API_KEY_PATTERN } from '../infra/config.ts'
import type { Database, Prepared } from '../infra/database/db.ts'
import { sha256 } from '../infra/secrets.ts'

/** Headers as Node passes them, with lower-case names. */
export type Headers = Record<string, string | string[] | undefined>

/** A key with its user, its agent when it is bound to one, and the user's role when it is scoped to a workspace. */
interface Credential {
  hash: string
  id: string
  name: string
  permission: ApiKeyPermission
  workspace_id: string | null
  is_enabled: boolean
  expires_at: Date | null
  revoked_at: Date | null
  last_used_at: Date | null
  user_id: string
  user_name: string
  agent_id: string | null
  agent_name: string | null
  agent_enabled: boolean | null
  role: MemberRole | null
  plan: Plan | null
}

/** The key is looked up by its hash: no secret is compared, so no duration reveals anything. */
const credentials = (name: string, condition: string): Prepared => ({
  name,
  text: `
  SELECT key.hash, key.id, key.name, key.permission, key.workspace_id, key.is_enabled, key.expires_at, key.revoked_at,
         key.last_used_at, users.id AS user_id, users.name AS user_name,
         agent.id AS agent_id, agent.name AS agent_name, agent.is_enabled AS agent_enabled, member.role,
         CASE WHEN key.workspace_id IS NOT NULL THEN workspace.plan ELSE (
           SELECT max(theirs.plan) FROM members JOIN workspaces theirs ON theirs.id = members.workspace_id
            WHERE members.user_id = key.user_id) END AS plan
    FROM api_keys key
    JOIN users ON users.id = key.user_id
    LEFT JOIN workspaces workspace ON workspace.id = key.workspace_id
    LEFT JOIN agents agent ON agent.id = key.agent_id
    LEFT JOIN members member ON member.workspace_id = key.workspace_id AND member.user_id = key.user_id
   WHERE ${condition}`,
})
/** PostgreSQL keeps the plan of the first, and plans the second at each call, which takes ten times as long as running it. */
const ONE_CREDENTIAL = credentials('credential', 'key.hash = $1')
const CREDENTIALS = credentials('credentials', 'key.hash = ANY($1)')

/**
 * Looks up concurrent requests together, in one statement that starts after all of them have arrived. Nothing is
 * cached, so that a revoked key ends at once, and a busy server needs fewer statements than requests.
 */
const lookUps = new WeakMap<Database, DataLoader<string, Credential | undefined>>()

function findCredential({ db }: Deps, hash: string): Promise<Credential | undefined> {
  const existing = lookUps.get(db)
  if (existing !== undefined) return existing.load(hash)
  const loadAll = async (hashes: readonly string[]) => {
    const wanted = [...new Set(hashes)]
    const rows = await (wanted.length === 1
      ? db.prepared<Credential>(ONE_CREDENTIAL, wanted)
      : db.prepared<Credential>(CREDENTIALS, [wanted]))
    const byHash = new Map(rows.map((row) => [row.hash, row]))
    return hashes.map((each) => byHash.get(each))
  }
  const made = new DataLoader(loadAll, { cache: false, batchScheduleFn: (dispatch) => setImmediate(dispatch) })
  lookUps.set(db, made)
  return made.load(hash)
}

const LAST_USED_PRECISION_MS = 60_000

/** The key in `Authorization: Bearer …` or `x-api-key`; null when neither has one. */
export function keyFromHeaders(headers: Headers): string | null {
  const bearer = /^Bearer +(\S+)$/i.exec(String(headers['authorization'] ?? ''))?.[1]
  const key = bearer ?? headers['x-api-key']
  return typeof key === 'string' && key !== '' ? key : null
}

/**
 * Finds the row of the key. It is looked up at every request, so that a revoked key ends at once.
 * @throws UnauthorizedError for a missing, malformed, unknown, disabled, revoked or expired key, and for one whose user
 *   has left its workspace; ForbiddenError for the key of a disabled agent
 */
export async function authenticateKey(deps: Deps, key: string | null, origin: Origin | null = null): Promise<Caller> {
  if (key === null || !API_KEY_PATTERN.test(key)) throw new UnauthorizedError()
  const found = await findCredential(deps, sha256(key))
  const now = deps.clock.now()
  if (found === undefined || !found.is_enabled || found.revoked_at !== null) throw new UnauthorizedError()
  if (found.expires_at !== null && found.expires_at <= now) throw new UnauthorizedError('This API key has expired')
  if (found.agent_enabled === false) throw new ForbiddenError('This agent is disabled')
  const scoped = found.workspace_id === null ? null : scopedActor(found, found.workspace_id)
  noteUse(deps, found, now)
  const { id: credentialId, workspace_id: workspaceId, permission } = found
  const user = { id: found.user_id, name: found.user_name }
  const actorIn = async (requested: string | undefined) => ({
    ...(scoped ?? (await actorAnywhere(deps, found, requested))),
    origin,
  })
  // A user without a workspace can still create one.
  const plan = found.plan ?? 'FREE'
  return { kind: 'api_key', credentialId, user, workspaceId, permission, plan, origin, renewal: null, actorIn }
}

/** The maximum number of recently used keys; the latest ones count. */
const MAX_IN_USE = 10_000

/** Hashes of valid keys that were used or created since a time. `lastUsedAt` is up to a minute behind. */
export async function keysInUse({ db, clock }: Pick<Deps, 'db' | 'clock'>, since: Date): Promise<string[]> {
  const rows = await db.sql<{ hash: string }>(
    `SELECT hash FROM api_keys
      WHERE COALESCE(last_used_at, created_at) > $1::timestamptz AND is_enabled AND revoked_at IS NULL
        AND (expires_at IS NULL OR expires_at > $2::timestamptz)
      ORDER BY COALESCE(last_used_at, created_at) DESC LIMIT ${MAX_IN_USE}`,
    [since, clock.now()],
  )
  return rows.map(({ hash }) => hash)
}

/** Records `lastUsedAt`, accurate to a minute. Requests neither wait for it nor fail with it. */
function noteUse(deps: Deps, { id, last_used_at: last }: Credential, now: Date): void {
  if (deps.db.disk?.isFull) return
  if (last !== null && now.getTime() - last.getTime() < LAST_USED_PRECISION_MS) return
  deps.db
    .sql('UPDATE api_keys SET last_used_at = $2::timestamptz WHERE id = $1', [id, now])
    .catch((error: unknown) => deps.log.warn({ err: error, apiKeyId: id }, 'lastUsedAt not recorded'))
}

/**
 * The actor of a key for one workspace. The key of an agent acts as the agent, regardless of its installer.
 * @throws UnauthorizedError when the key's user has left the workspace
 */
function scopedActor(found: Credential, workspaceId: string): Omit<Actor, 'origin'> {
  const { id, name, permission, agent_id: agentId, agent_name: agentName, role } = found
  const user = { id: found.user_id, name: found.user_name }
  if (agentId !== null) {
    return { type: 'agent', id: agentId, name: agentName ?? name, workspaceId, permission, user, role: null }
  }
  if (role === null) throw new UnauthorizedError()
  return { type: 'api_key', id, name, workspaceId, permission: effectivePermission(permission, role), user, role }
}

/**
 * The actor of an all-workspaces key in the requested workspace.
 * @throws ValidationError when the request names no workspace; ForbiddenError when the key's user is no member there
 */
async function actorAnywhere(
  deps: Deps,
  found: Credential,
  requested: string | undefined,
): Promise<Omit<Actor, 'origin'>> {
  const { id, name, permission } = found
  const user = { id: found.user_id, name: found.user_name }
  const { workspaceId, role } = await roleIn(deps, user.id, requested)
  return { type: 'api_key', id, name, workspaceId, permission: effectivePermission(permission, role), user, role }
}

/** The workspace of a request with an all-workspaces key, and the user's role there. */
async function roleIn(
  deps: Deps,
  userId: string,
  workspaceId: string | undefined,
): Promise<{ workspaceId: string; role: MemberRole }> {
  if (workspaceId === undefined) {
    const message =
      'is required with an all-workspaces key (query parameter or body field in REST, X-Workspace-Id header in GraphQL)'
    throw new ValidationError([{ path: 'workspaceId', message }])
  }
  const isId = kindOfId(workspaceId) === 'workspace'
  const member = isId ? await deps.db.prisma.member.findFirst({ where: { workspaceId, userId } }) : null
  if (member === null) throw new ForbiddenError('You are not a member of this workspace')
  return { workspaceId, role: member.role }
}
