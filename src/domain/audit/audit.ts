import { z } from 'zod'
import type { AuditEntry, Prisma } from '../../generated/prisma/client.ts'
import type { Tx } from '../../infra/database/transaction.ts'
import type { Actor, ActorType, Caller, Origin } from '../shared/actor.ts'
import { hasLevel, requireLevel, requireNotAgent } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { newId } from '../shared/ids.ts'
import { dateFilter, idText, parse, timeRange } from '../shared/input.ts'
import { newestFirst, type Page, type PageRequest } from '../shared/pagination.ts'

/** Everything that is recorded, as `noun.what_happened`. */
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
  /** Whoever installed it has no access any more; it goes on working. */
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
 * Who is named in an entry: an actor, or somebody signing in, who is in no workspace yet (`user`) or not known at all
 * (`anonymous`).
 */
export type AuditActor = Pick<Actor, 'id' | 'name' | 'user' | 'origin'> & {
  readonly type: ActorType | 'user' | 'anonymous'
  /** Null: the entry belongs to the person, not to a workspace. */
  readonly workspaceId: string | null
}

/** What was acted on. It is kept by its id and name, also when the object is gone. */
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
  /** When: `deps.clock.now()`. */
  readonly at: Date
  /** What else is worth knowing, such as the fields that changed. Never a secret. */
  readonly data?: Prisma.InputJsonObject
}

/** Records who did something, in the transaction of what was done: neither is there without the other. */
export async function recordAudit(tx: Tx, actor: AuditActor, entry: NewAuditEntry): Promise<void> {
  await tx.db.auditEntry.create({ data: rowOf(actor, entry), select: { id: true } })
}

/** The same for what happened to many things at once, each with its actor: one statement for any number. */
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

/** The system acts in a workspace: timers, rules, the first start. */
export function systemAuditor(workspaceId: string | null): AuditActor {
  return { type: 'system', id: 'system', name: 'GudDesk', workspaceId, user: null, origin: null }
}

/** A person acts for themselves, in no workspace. */
export function personOf({ user, origin }: Pick<Caller, 'user' | 'origin'>): AuditActor {
  return { type: 'user', id: user.id, name: user.name, workspaceId: null, user, origin }
}

/** Who is named in another workspace's log: the person, where the actor is a member of this one, which means nothing there. */
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
    action: z.enum(AUDIT_ACTIONS),
    actorId: idText,
    targetId: idText,
    createdAt: timeRange,
  })
  .partial()

/** Whether an actor may read the audit log. */
export function mayReadAudit({ type, permission }: Actor): boolean {
  return type !== 'agent' && hasLevel(permission, 'FULL_ACCESS')
}

/**
 * The workspace's entries, newest first.
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
