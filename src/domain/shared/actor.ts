import type { ApiKeyPermission, MemberRole, Plan } from '../../generated/prisma/enums.ts'
import { type IdKind, kindOfId } from './ids.ts'

export type ActorType = 'visitor' | 'member' | 'agent' | 'api_key' | 'system'

/** Who does something, in which workspace, and how much they may do. Every operation takes one; every event names it. */
export interface Actor {
  readonly type: ActorType
  /** The agent's, API key's, member's or visitor's id; "system" for the system. */
  readonly id: string
  readonly name: string
  readonly workspaceId: string
  readonly permission: ApiKeyPermission
  /** The person behind an API key or member; null for visitors and the system. */
  readonly user: { readonly id: string; readonly name: string } | null
  /** That person's role in the workspace; null for agents, visitors and the system. */
  readonly role: MemberRole | null
  /** The request behind it; null for what happens without one. */
  readonly origin: Origin | null
}

/** Where a request came from, as far as it can be told. */
export interface Origin {
  /** The client's IP address; see TRUST_PROXY. */
  readonly address: string | null
  /** What it says that it is, at most 500 characters. */
  readonly userAgent: string | null
}

/** What an agent is called that works with a plain API key. */
export const ANY_AGENT = 'AI Agent'

/** The part of an actor that events carry. */
export type ActorRef = Pick<Actor, 'type' | 'id' | 'name'>

export function refOf({ type, id, name }: Actor): ActorRef {
  return { type, id, name }
}

/** What to call a visitor: the name, else the email address; some give neither. */
export function visitorDisplayName({ name, email }: { name: string | null; email: string | null }): string {
  return name || email || KIND_NAMES.visitor
}

/** What actors are called of whom no name is known. */
const KIND_NAMES = { visitor: 'Visitor', member: 'Member', agent: 'Agent', apiKey: 'API key', user: 'User' }

/** What to call an actor that is gone or hidden: by the name that was recorded, else by its kind. */
export function keptName(id: string, name: string | null): string {
  const names: Partial<Record<IdKind, string>> = KIND_NAMES
  const kind = kindOfId(id)
  return name || (kind && names[kind]) || 'Unknown'
}

/** A valid credential, before it is known which workspace it is used in. Made by auth, used by both transports. */
export interface Caller {
  readonly kind: 'api_key' | 'session'
  /** The API key's or session's id. */
  readonly credentialId: string
  /** The person behind it. */
  readonly user: { readonly id: string; readonly name: string }
  readonly origin: Origin | null
  /** A Set-Cookie value that makes the credential last longer, when it is time for that. */
  readonly renewal: string | null
  /** The one workspace that the credential is for; null: all of the user's. */
  readonly workspaceId: string | null
  readonly permission: ApiKeyPermission
  /** Decides the rate limit: the workspace's, or the best of the user's. Null for a session: people have a limit of their own. */
  readonly plan: Plan | null
  /**
   * Who acts in a workspace. A scoped credential ignores `requested`.
   * @throws ValidationError when an unscoped one must name one and does not; ForbiddenError when its user is not a member there
   */
  actorIn(requested: string | undefined): Promise<Actor>
}
