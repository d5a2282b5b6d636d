import type { Prisma } from '../../generated/prisma/client.ts'
import type { ApiKeyPermission, MemberRole } from '../../generated/prisma/enums.ts'
import type { Actor, Caller } from './actor.ts'
import { ForbiddenError } from './errors.ts'

const LEVELS: Record<ApiKeyPermission, number> = { READ_ONLY: 0, READ_WRITE: 1, FULL_ACCESS: 2 }

/** The highest permission of each role, which also limits the keys of the user. */
const ROLE_LEVEL: Record<MemberRole, ApiKeyPermission> = {
  OWNER: 'FULL_ACCESS',
  ADMIN: 'FULL_ACCESS',
  AGENT: 'READ_WRITE',
  VIEWER: 'READ_ONLY',
}

export function hasLevel(granted: ApiKeyPermission, needed: ApiKeyPermission): boolean {
  return LEVELS[granted] >= LEVELS[needed]
}

/** The lower one of a key's own permission and its user's role. */
export function effectivePermission(permission: ApiKeyPermission, role: MemberRole): ApiKeyPermission {
  const cap = ROLE_LEVEL[role]
  return hasLevel(permission, cap) ? cap : permission
}

/** @throws ForbiddenError when the actor's permission is too low */
export function requireLevel(actor: Pick<Actor, 'permission'>, needed: ApiKeyPermission): void {
  if (!hasLevel(actor.permission, needed)) {
    throw new ForbiddenError(`This needs ${needed} permission; yours is ${actor.permission}`)
  }
}

/** The log and the inbox contain all messages and notes, so visitors have no access. */
export function requireStaff(actor: Pick<Actor, 'type'>): void {
  if (actor.type === 'visitor')
    throw new ForbiddenError('Visitors cannot do this: it requires a member of the workspace, an agent or an API key')
}

/** @throws ForbiddenError when the actor's person has none of the roles, or there is no person */
export function requireRole({ role }: Pick<Actor, 'role'>, roles: readonly MemberRole[]): void {
  if (role === null || !roles.includes(role)) {
    throw new ForbiddenError(`This needs the role ${roles.join(' or ')}${role === null ? '' : `; yours is ${role}`}`)
  }
}

/** What somebody may do, kept with the answer to what they did. */
export interface Rights {
  /** The credential's permission; null: there was no credential. */
  readonly caller: ApiKeyPermission | null
  /** In the workspace that the request was about; null: it was about none. */
  readonly actor: Pick<Actor, 'workspaceId' | 'permission' | 'role'> | null
}

export function rightsOf(caller: Caller | null, actor: Actor | null): Rights {
  const acting = actor && { workspaceId: actor.workspaceId, permission: actor.permission, role: actor.role }
  return { caller: caller?.permission ?? null, actor: acting }
}

/** From the least to the most. */
const ROLES: readonly MemberRole[] = ['VIEWER', 'AGENT', 'ADMIN', 'OWNER']

/**
 * Asks whether somebody may still do as much as when they did something, and so be told again what came of it.
 * @throws ForbiddenError when they may do less by now; what `caller` and `actor` throw
 */
export function requireRights(needed: Rights, { caller, actor }: { caller(): Caller; actor(): Actor }): void {
  if (needed.caller !== null && !hasLevel(caller().permission, needed.caller)) throw lessRights()
  if (needed.actor === null) return
  const now = actor()
  const { workspaceId, permission, role } = needed.actor
  if (now.workspaceId !== workspaceId || !hasLevel(now.permission, permission)) throw lessRights()
  if (role !== null && (now.role === null || ROLES.indexOf(now.role) < ROLES.indexOf(role))) throw lessRights()
}

const lessRights = () => new ForbiddenError('Your permission is lower than when this request was first made')

/**
 * Only owners manage owners, so that nobody can promote themselves.
 * @param roles the roles that a member has, gets or is invited with
 * @throws ForbiddenError
 */
export function requireMayManage({ role }: Pick<Actor, 'role'>, ...roles: MemberRole[]): void {
  if (roles.includes('OWNER') && role !== 'OWNER') {
    throw new ForbiddenError('Only an owner can add, change, remove or invite owners')
  }
}

/** An installed agent can manage itself, and no other agent. */
export function requireNotAgent(actor: Actor, what: string): void {
  if (actor.type === 'agent') throw new ForbiddenError(`An agent's key cannot ${what}`)
}

/** An agent can change only its own installation; other actors with the permission can change all of the workspace. */
export function requireOwnAgent(actor: Actor, agentId: string): void {
  if (actor.type === 'agent' && actor.id !== agentId)
    throw new ForbiddenError("An agent's key cannot change other agents")
}

/** Webhook endpoints require FULL_ACCESS; an agent can manage its own. */
export function requireWebhookManager(actor: Actor): void {
  if (actor.type !== 'agent') requireLevel(actor, 'FULL_ACCESS')
}

/**
 * The webhook endpoints that an actor can manage, as a Prisma filter: an agent's own, otherwise those of the workspace.
 * Without unregistered ones.
 */
export function managedEndpoints(actor: Actor): { workspaceId: string; unregisteredAt: null; agentId?: string } {
  return { ...ownedEndpoints(actor), unregisteredAt: null }
}

/** The same, including unregistered ones. */
export function ownedEndpoints(actor: Actor): { workspaceId: string; agentId?: string } {
  return { workspaceId: actor.workspaceId, ...(actor.type === 'agent' && { agentId: actor.id }) }
}

/** Whether the actor is an agent, and the object belongs to no agent or to another one. */
export function isNeighbour(actor: Actor, agentId: string | null): boolean {
  return actor.type === 'agent' && actor.id !== agentId
}

/** The articles that an actor can see, as a Prisma filter: visitors see no drafts. */
export function visibleArticles(actor: Actor): { workspaceId: string; isPublished?: boolean } {
  return { workspaceId: actor.workspaceId, ...(actor.type === 'visitor' && { isPublished: true }) }
}

/** The conversations that an actor can see, as a Prisma filter. */
export function visibleConversations(actor: Actor): { workspaceId: string; visitorId?: string } {
  return { workspaceId: actor.workspaceId, ...(actor.type === 'visitor' && { visitorId: actor.id }) }
}

/**
 * The workspaces that a caller can see, as a Prisma filter: the one of a credential for one workspace, otherwise all of
 * the user.
 */
export function visibleWorkspaces({ workspaceId, user }: Caller): Prisma.WorkspaceWhereInput {
  return workspaceId === null ? { members: { some: { userId: user.id } } } : { id: workspaceId }
}
