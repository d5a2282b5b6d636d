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
    means: 'List and read. For reports and exports.',
  },
  {
    permission: 'READ_WRITE',
    label: 'Read and write',
    means: 'Also create and change conversations, messages and visitors, and install agents. For integrations.',
  },
  {
    permission: 'FULL_ACCESS',
    label: 'Full access',
    means: 'Also manage webhooks, keys and members. For programs that you fully trust.',
  },
]

export function permissionName(permission: ApiKeyPermission): string {
  return PERMISSIONS.find((each) => each.permission === permission)?.label ?? permission
}
