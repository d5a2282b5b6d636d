import type { Actor, Caller, Origin } from '../domain/shared/actor.ts'
import { effectivePermission } from '../domain/shared/authorization.ts'
import type { Deps } from '../domain/shared/deps.ts'
import { ForbiddenError, UnauthorizedError, ValidationError } from '../domain/shared/errors.ts'
import { kindOfId } from '../domain/shared/ids.ts'
import { SESSION_DAYS, type SessionTokens, setCookie, signToken, verifyToken } from './session-token.ts'

interface SessionRow {
  id: string
  expires_at: Date
  user_id: string
  user_name: string
}

const DAY_MS = 86_400_000
/** The end of a session is moved at most once a day. */
const RENEW_BELOW_MS = (SESSION_DAYS - 1) * DAY_MS

/**
 * Finds the person of a session's credential. It is looked up at every request, so that an ended session ends at once.
 * Each use moves the end to 30 days from now, and replaces a cookie that the previous key signed.
 * @throws UnauthorizedError for a wrong signature, and an unknown, ended or expired session
 */
export async function authenticateSession(
  deps: Deps,
  tokens: SessionTokens,
  credential: string,
  origin: Origin,
): Promise<Caller> {
  const verified = verifyToken(tokens, credential)
  const found = verified === null ? undefined : await findSession(deps, verified.token)
  if (verified === null || found === undefined) throw new UnauthorizedError('Your session has ended: sign in again')
  const user = { id: found.user_id, name: found.user_name }
  const isRenewed = !deps.db.disk?.isFull && found.expires_at.getTime() - deps.clock.now().getTime() < RENEW_BELOW_MS
  if (isRenewed) await renew(deps, found)
  return {
    credentialId: found.id,
    kind: 'session',
    user,
    workspaceId: null,
    permission: 'FULL_ACCESS',
    plan: null,
    origin,
    renewal: isRenewed || !verified.isCurrent ? setCookie(tokens, signToken(tokens, verified.token)) : null,
    actorIn: (requested) => memberIn(deps, user, requested, origin),
  }
}

async function findSession({ db, clock }: Deps, token: string): Promise<SessionRow | undefined> {
  const [row] = await db.sql<SessionRow>(
    `SELECT session.id, session.expires_at, users.id AS user_id, users.name AS user_name
       FROM sessions session JOIN users ON users.id = session.user_id
      WHERE session.token = $1 AND session.expires_at > $2::timestamptz`,
    [token, clock.now()],
  )
  return row
}

async function renew({ db, clock }: Deps, { id }: SessionRow): Promise<void> {
  const now = clock.now()
  const until = new Date(now.getTime() + SESSION_DAYS * DAY_MS)
  await db.sql('UPDATE sessions SET expires_at = $2::timestamptz, updated_at = $3::timestamptz WHERE id = $1', [
    id,
    until,
    now,
  ])
}

/** Caller.actorIn for a person: the requested workspace, or the only one of the person. */
async function memberIn(
  { db }: Deps,
  user: NonNullable<Actor['user']>,
  requested: string | undefined,
  origin: Origin,
): Promise<Actor> {
  const isNamed = requested !== undefined && requested !== ''
  if (isNamed && kindOfId(requested) !== 'workspace') throw new ForbiddenError('You are not a member of this workspace')
  const where = { userId: user.id, ...(isNamed && { workspaceId: requested }) }
  const [member, another] = await db.prisma.member.findMany({ where, take: 2, orderBy: { id: 'asc' } })
  if (member === undefined) {
    throw new ForbiddenError(
      isNamed ? 'You are not a member of this workspace' : 'You are not a member of any workspace',
    )
  }
  if (another !== undefined) {
    const message = 'is required when you belong to several workspaces (X-Workspace-Id header or connection parameter)'
    throw new ValidationError([{ path: 'workspaceId', message }])
  }
  const { id, workspaceId, role } = member
  const permission = effectivePermission('FULL_ACCESS', role)
  return { type: 'member', id, name: user.name, workspaceId, permission, user, role, origin }
}
