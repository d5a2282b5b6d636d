import type { MemberRole } from '../generated/documents.ts'

interface Role {
  readonly role: MemberRole
  readonly label: string
  /** What it allows, in a sentence. */
  readonly means: string
}

/** Every role, the mightiest first. */
export const ROLES: readonly Role[] = [
  { role: 'OWNER', label: 'Owner', means: 'Full access, including owners and the removal of the workspace.' },
  { role: 'ADMIN', label: 'Admin', means: 'Manages members, keys, agents and webhooks, except owners.' },
  { role: 'AGENT', label: 'Agent', means: 'Replies to visitors and changes conversations.' },
  { role: 'VIEWER', label: 'Viewer', means: 'Read-only access.' },
]

export function roleName(role: MemberRole): string {
  return ROLES.find((each) => each.role === role)?.label ?? role
}

/** Whether a role is worth FULL_ACCESS: keys, members, webhooks, the audit log. */
export function mayManage(role: MemberRole | null): boolean {
  return role === 'OWNER' || role === 'ADMIN'
}
