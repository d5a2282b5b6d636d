import type { Session } from '../../generated/prisma/client.ts'
import { inTransaction } from '../../infra/database/transaction.ts'
import { personOf, recordAudit } from '../audit/audit.ts'
import type { Caller } from '../shared/actor.ts'
import type { Deps } from '../shared/deps.ts'
import { NotFoundError } from '../shared/errors.ts'
import { requireId } from '../shared/input.ts'
import { requirePerson } from './users.ts'

/** The public fields of a session, without its token. */
export type VisibleSession = Omit<Session, 'token'>

/** The maximum number of listed sessions. */
const MAX_SHOWN = 100

/** The sessions of a person, the latest first. @throws ForbiddenError for API keys */
export async function listSessions(deps: Deps, caller: Caller): Promise<VisibleSession[]> {
  requirePerson(caller)
  return deps.db.prisma.session.findMany({
    where: { userId: caller.user.id, expiresAt: { gt: deps.clock.now() } },
    omit: { token: true },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: MAX_SHOWN,
  })
}

/** A person's own sessions of these ids that have not expired, by id; none for API keys. */
export async function sessionsById(
  { db, clock }: Pick<Deps, 'db' | 'clock'>,
  { kind, user }: Caller,
  ids: readonly string[],
): Promise<Map<string, VisibleSession>> {
  if (kind !== 'session') return new Map()
  const sessions = await db.prisma.session.findMany({
    where: { id: { in: [...ids] }, userId: user.id, expiresAt: { gt: clock.now() } },
    omit: { token: true },
  })
  return new Map(sessions.map((session) => [session.id, session]))
}

/**
 * Ends a session of the person at once, the current one or another.
 * @throws ForbiddenError for API keys; NotFoundError for sessions of others and ended sessions
 */
export async function endSession(deps: Deps, caller: Caller, id: string): Promise<void> {
  requirePerson(caller)
  requireId('session', id, 'Session')
  await inTransaction(deps, async (tx) => {
    const { count } = await tx.db.session.deleteMany({ where: { id, userId: caller.user.id } })
    if (count === 0) throw new NotFoundError('Session')
    const target = { type: 'session', id } as const
    await recordAudit(tx, personOf(caller), { action: 'session.ended', target, at: deps.clock.now() })
  })
}
