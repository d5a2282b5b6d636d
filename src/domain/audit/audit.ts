import { z } from 'zod'
import type { AuditEntry, Prisma } from '../../generated/prisma/client.ts'
import type { Tx } from '../../infra/database/transaction.ts'
import type { Actor, ActorType, Caller, Origin } from '../shared/actor.ts'
import { hasLevel, requireLevel, requireNotAgent } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { newId } from '../shared/ids.ts'
import { dateFilter, idText, parse, timeRange } from '../shared/input.ts'
import { newestFirst, type Page, type PageRequest } from '../shared/pagination.ts'

/** All recorded actions, as `noun.what_happened`. */
export const AUDIT_ACTIONS = [
  'workspace.created',
  'workspace.updated',
  'workspace.deleted',
  'member.invited',
  'member.joined',
  'member.role_changed',
  'member.removed',
  'invitation.revoked',
  'api_key.created',
  'api_key.revoked',
  'agent.installed',
  'agent.updated',
  'agent.enabled',
  'agent.disabled',
  'agent.uninstalled',
  'agent.key_rotated',
  /** The installer of the agent has lost access to the workspace; the agent continues to work. */
  'agent.orphaned',
  'webhook_endpoint.created',
  'webhook_endpoint.updated',
  'webhook_endpoint.enabled',
  'webhook_endpoint.disabled',
  'webhook_endpoint.unregistered',
  'webhook_endpoint.resumed',
  'webhook_endpoint.deleted',
  'webhook_endpoint.secret_rotated',
  'webhook_endpoint.rotation_confirmed',
  'webhook_endpoint.test_sent',
  'delivery.replayed',
  'deliveries.replayed',
  'conversation.deleted',
  'article.deleted',
  'collection.deleted',
  'session.created',
  'session.ended',
  'session.failed',
  'password.changed',
  'profile.updated',
  'sign_in_link.created',
  'email.verified',
] as const

export type AuditAction = (typeof AUDIT_ACTIONS)[number]

/**
 * The actor of an entry: an actor of a workspace, a person who is signing in and has no workspace yet (`user`), or an
 * unknown person (`anonymous`).
 */
export type AuditActor = Pick<Actor, 'id' | 'name' | 'user' | 'origin'> & {
  readonly type: ActorType | 'user' | 'anonymous'
  /** Null: the entry belongs to the person instead of a workspace. */
  readonly workspaceId: string | null
}

/** The object of the action. The entry keeps its id and name, also after it was deleted. */
export interface AuditTarget {
  readonly type:
    | 'workspace'
    | 'member'
    | 'invitation'
    | 'api_key'
    | 'agent'
    | 'webhook_endpoint'
    | 'delivery'
    | 'conversation'
    | 'article'
    | 'collection'
    | 'session'
    | 'user'
  readonly id: string
  readonly name?: string | null
}

export interface NewAuditEntry {
  readonly action: AuditAction
  readonly target: AuditTarget
  /** The time: `deps.clock.now()`. */
  readonly at: Date
  /** Details, such as the changed fields. Never a secret. */
  readonly data?: Prisma.InputJsonObject
}

/** Records an action in the transaction of the change, so that neither exists without the other. */
export async function recordAudit(tx: Tx, actor: AuditActor, entry: NewAuditEntry): Promise<void> {
  await tx.db.auditEntry.create({ data: rowOf(actor, entry), select: { id: true } })
}

/** Records many actions, each with its actor, in one statement. */
export async function recordAudits(tx: Tx, entries: readonly (readonly [AuditActor, NewAuditEntry])[]): Promise<void> {
  if (entries.length === 0) return
  const rows = JSON.stringify(entries.map(([actor, entry]) => rowOf(actor, entry)))
  await tx.db.$executeRaw`
    INSERT INTO audit_entries (id, workspace_id, actor_type, actor_id, actor_name, user_id, action, target_type, target_id,
                               target_name, address, user_agent, data, created_at)
    SELECT id, "workspaceId", "actorType", "actorId", "actorName", "userId", action, "targetType", "targetId",
           "targetName", address, "userAgent", data, "createdAt"
      FROM jsonb_to_recordset(${rows}::jsonb) AS entry(
             id text, "workspaceId" text, "actorType" text, "actorId" text, "actorName" text, "userId" text, action text,
             "targetType" text, "targetId" text, "targetName" text, address text, "userAgent" text, data jsonb,
             "createdAt" timestamptz)`
}

function rowOf(actor: AuditActor, { action, target, at, data = {} }: NewAuditEntry) {
  return {
    id: newId('auditEntry'),
    workspaceId: actor.workspaceId,
    actorType: actor.type,
    actorId: actor.id,
    actorName: actor.name,
    userId: actor.user?.id ?? null,
    action,
    targetType: target.type,
    targetId: target.id,
    targetName: target.name ?? null,
    address: actor.origin?.address ?? null,
    userAgent: actor.origin?.userAgent ?? null,
    data,
    createdAt: at,
  }
}

/** The system as actor in a workspace: timers, rules, the first start. */
export function systemAuditor(workspaceId: string | null): AuditActor {
  return { type: 'system', id: 'system', name: 'GudDesk', workspaceId, user: null, origin: null }
}

/** A person who acts in no workspace. */
export function personOf({ user, origin }: Pick<Caller, 'user' | 'origin'>): AuditActor {
  return { type: 'user', id: user.id, name: user.name, workspaceId: null, user, origin }
}

/** The actor in the log of another workspace: the person, because the id of a member means nothing there. */
export function actorElsewhere(actor: AuditActor, workspaceId: string): AuditActor {
  if (actor.type !== 'member' || actor.user === null || actor.workspaceId === workspaceId)
    return { ...actor, workspaceId }
  const { user, origin } = actor
  return { type: 'user', id: user.id, name: user.name, workspaceId, user, origin }
}

/** The type of an actor who is not known. */
export const ANONYMOUS = 'anonymous'

/** Somebody who is not known: they are signing in, or ask for a link to do so. */
export function anonymousAt(origin: Origin | null): AuditActor {
  return { type: ANONYMOUS, id: 'anonymous', name: 'Somebody', workspaceId: null, user: null, origin }
}

export const AuditFilter = z
  .object({
    action: z.enum(AUDIT_ACTIONS).describe('Entries with this action.'),
    actorId: idText.describe('Entries of the actor with this id.'),
    targetId: idText.describe('Entries about the object with this id.'),
    createdAt: timeRange.describe('Entries recorded in this time.'),
  })
  .partial()

/** Whether an actor can read the audit log. */
export function mayReadAudit({ type, permission }: Actor): boolean {
  return type !== 'agent' && hasLevel(permission, 'FULL_ACCESS')
}

/**
 * The audit entries of the workspace, newest first.
 * @throws ForbiddenError below FULL_ACCESS and for agents; ValidationError
 */
export async function listAuditEntries(
  deps: Deps,
  actor: Actor,
  filter: z.input<typeof AuditFilter>,
  page: PageRequest,
): Promise<Page<AuditEntry>> {
  requireLevel(actor, 'FULL_ACCESS')
  requireNotAgent(actor, 'read the audit log')
  const { action, actorId, targetId, createdAt = {} } = parse(AuditFilter, filter)
  const where = {
    workspaceId: actor.workspaceId,
    ...(action !== undefined && { action }),
    ...(actorId !== undefined && { actorId }),
    ...(targetId !== undefined && { targetId }),
    createdAt: dateFilter(createdAt),
  }
  const { auditEntry } = deps.db.prisma
  return newestFirst(page, {
    find: (range) => auditEntry.findMany({ ...range, where: { AND: [where, range.where] } }),
    count: () => auditEntry.count({ where }),
  })
}
