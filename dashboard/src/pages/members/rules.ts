import type { MemberRole } from '../../generated/documents.ts'

export interface Owners {
  /** How many the workspace has. */
  readonly count: number
}

/**
 * Why an owner or admin cannot change or remove a member; null when they can. The server decides; this says it before.
 * @param own the role of who asks
 */
export function whyFixed(own: MemberRole | null, role: MemberRole, owners: Owners): string | null {
  if (role !== 'OWNER') return null
  if (own !== 'OWNER') return 'Only owners change owners.'
  return owners.count > 1 ? null : 'A workspace needs an owner. Make another member an owner first.'
}
