import type { ApiKeyPermission } from '../../generated/documents.ts'

/** What a key may do, the mildest first; each level contains the one before. */
export const PERMISSIONS: readonly {
  readonly permission: ApiKeyPermission
  readonly label: string
  readonly means: string
}[] = [
  {
    permission: 'READ_ONLY',
    label: 'Read only',
    means: 'Lists and reads. For reports and exports.',
  },
  {
    permission: 'READ_WRITE',
    label: 'Read and write',
    means: 'Also creates and changes conversations, messages and visitors, and installs agents. For integrations.',
  },
  {
    permission: 'FULL_ACCESS',
    label: 'Full access',
    means: 'Also manages webhooks, keys and members. For what you trust as much as yourself.',
  },
]

export function permissionName(permission: ApiKeyPermission): string {
  return PERMISSIONS.find((each) => each.permission === permission)?.label ?? permission
}
