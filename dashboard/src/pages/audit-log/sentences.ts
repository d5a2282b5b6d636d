import type { AuditAction, AuditEntryFieldsFragment, AuditTargetType } from '../../generated/documents.ts'
import { ROLES } from '../../viewer/roles.ts'

export type Entry = AuditEntryFieldsFragment

/** What was done, after the name of who did it; `{}` is the object. */
const ACTIONS: Record<AuditAction, string> = {
  WORKSPACE_CREATED: 'created the workspace {}',
  WORKSPACE_UPDATED: 'changed the workspace {}',
  WORKSPACE_DELETED: 'removed the workspace {}',
  MEMBER_INVITED: 'invited {}',
  MEMBER_JOINED: 'joined the workspace',
  MEMBER_ROLE_CHANGED: 'changed the role of {}',
  MEMBER_REMOVED: 'removed the member {}',
  INVITATION_REVOKED: 'revoked the invitation of {}',
  API_KEY_CREATED: 'created the API key {}',
  API_KEY_REVOKED: 'revoked the API key {}',
  AGENT_INSTALLED: 'installed the AI agent {}',
  AGENT_UPDATED: 'changed the AI agent {}',
  AGENT_ENABLED: 'enabled the AI agent {}',
  AGENT_DISABLED: 'disabled the AI agent {}',
  AGENT_UNINSTALLED: 'uninstalled the AI agent {}',
  AGENT_ORPHANED: 'ended the access of the installer of the AI agent {}, which keeps working',
  AGENT_KEY_ROTATED: 'rotated the key of the AI agent {}',
  WEBHOOK_ENDPOINT_CREATED: 'registered the webhook {}',
  WEBHOOK_ENDPOINT_UPDATED: 'changed the webhook {}',
  WEBHOOK_ENDPOINT_ENABLED: 'enabled the webhook {}',
  WEBHOOK_ENDPOINT_DISABLED: 'disabled the webhook {}',
  WEBHOOK_ENDPOINT_UNREGISTERED: 'unregistered the webhook {}',
  WEBHOOK_ENDPOINT_RESUMED: 'registered the webhook {} again',
  WEBHOOK_ENDPOINT_DELETED: 'removed the webhook {}',
  WEBHOOK_ENDPOINT_SECRET_ROTATED: 'rotated the secret of the webhook {}',
  WEBHOOK_ENDPOINT_ROTATION_CONFIRMED: 'ended the overlap of secrets of the webhook {}',
  WEBHOOK_ENDPOINT_TEST_SENT: 'sent a test event to the webhook {}',
  DELIVERY_REPLAYED: 'replayed a delivery to {}',
  DELIVERIES_REPLAYED: 'replayed failed deliveries to {}',
  ARTICLE_DELETED: 'removed the article {}',
  COLLECTION_DELETED: 'removed the collection {}',
  CONVERSATION_DELETED: 'removed the conversation {}',
  SESSION_CREATED: 'signed in',
  SESSION_ENDED: 'ended a session',
  SESSION_FAILED: 'failed to sign in as {}',
  PASSWORD_CHANGED: 'changed their password',
  PROFILE_UPDATED: 'changed their profile',
  SIGN_IN_LINK_CREATED: 'created a sign-in link for {}',
  EMAIL_VERIFIED: 'verified the address of {}',
}

/** What happens in no workspace, so that no workspace's log has it. */
const PERSONAL = /^(SESSION|PASSWORD|PROFILE|SIGN_IN_LINK|EMAIL)_|^WORKSPACE_DELETED$/

/** Every action that a workspace's log can have, for a list to choose from. */
export const CHOICES = actions()
  .filter((action) => !PERSONAL.test(action))
  .map((action) => ({ value: action, label: capitalised(ACTIONS[action].replace(/ ?\{\}/, '').trim()) }))

/** A server that was updated since this page was loaded may know more actions. */
function templateOf(action: string): string {
  return isAction(action) ? ACTIONS[action] : `${action.toLowerCase().replaceAll('_', ' ')}: {}`
}

export function isAction(text: string | null): text is AuditAction {
  return text !== null && Object.hasOwn(ACTIONS, text)
}

/** The sentence before and after the object's name; `after` is null when it has no place for one. */
export function partsOf(entry: Entry): { readonly before: string; readonly after: string | null } {
  const [before = '', after] = templateOf(entry.action).split('{}')
  return after === undefined ? { before: before + besides(entry), after: null } : { before, after: besides(entry) }
}

/** The whole sentence as text. */
export function textOf(entry: Entry): string {
  const { before, after } = partsOf(entry)
  return `${actorNameOf(entry)} ${before}${after === null ? '' : nameOf(entry) + after}`
}

/** What the actor is called; one who is not known has no name. */
export function actorNameOf({ actor }: Entry): string {
  return actor?.displayName ?? 'Somebody'
}

/** What the object is called, or was at that time. */
export function nameOf({ targetName, targetId }: Entry): string {
  return targetName ?? targetId
}

/** Where the object can be seen, below the workspace's address; null when it is gone or has no page. */
export function placeOf({ action, targetType, targetId }: Entry): string | null {
  if (/_(DELETED|REMOVED|UNINSTALLED)$|^INVITATION_REVOKED$/.test(action)) return null
  return PLACES[targetType]?.(targetId) ?? null
}

const PLACES: Partial<Record<AuditTargetType, (id: string) => string>> = {
  WORKSPACE: () => 'settings/workspace',
  MEMBER: () => 'settings/members',
  INVITATION: () => 'settings/members',
  API_KEY: () => 'settings/api-keys?ended',
  AGENT: () => 'settings/agents',
  WEBHOOK_ENDPOINT: (id) => `settings/webhooks/${id}`,
  CONVERSATION: (id) => `inbox/open/${id}`,
}

/** What else the sentence says: from which role to which, as what, what was changed. */
function besides({ action, data }: Entry): string {
  const { from, to, role, changed } = fieldsOf(data)
  if (action === 'MEMBER_ROLE_CHANGED') return ` from ${roleOf(from)} to ${roleOf(to)}`
  if (action === 'MEMBER_INVITED' || action === 'MEMBER_JOINED') return ` as ${roleOf(role)}`
  return Array.isArray(changed) && changed.length > 0 ? `: ${changed.join(', ')}` : ''
}

function fieldsOf(data: unknown): Record<string, unknown> {
  return typeof data === 'object' && data !== null ? { ...data } : {}
}

function roleOf(value: unknown): string {
  return ROLES.find(({ role }) => role === value)?.label ?? String(value)
}

function actions(): AuditAction[] {
  return Object.keys(ACTIONS).filter(isAction)
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
