import { mayManage } from './roles.ts'
import { useWorkspace } from './workspace.ts'

interface Permissions {
  /** Endpoints, deliveries, secrets and keys: owners and admins. */
  readonly mayManage: boolean
  /** Conversations and agents: everybody but viewers. */
  readonly mayWrite: boolean
}

/** What the signed-in person's role allows here, so that pages offer nothing that would be refused. See docs/permissions.md. */
export function usePermissions(): Permissions {
  const { role } = useWorkspace()
  return { mayManage: mayManage(role), mayWrite: mayManage(role) || role === 'AGENT' }
}
