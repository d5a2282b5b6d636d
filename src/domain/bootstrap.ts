import { newApiKey } from '../infra/secrets.ts'
import { inTransaction } from '../infra/transaction.ts'
import { apiKeyRow } from './api-keys.ts'
import { recordAudit, systemAuditor } from './audit.ts'
import type { Deps } from './deps.ts'
import { newId } from './ids.ts'

const BOOTSTRAP_LOCK = 0x67644253 // "gdBS"

/** What the first start made. */
export interface FirstStart {
  readonly workspaceId: string
  readonly ownerEmail: string
  /** In full; stored only as a hash. */
  readonly apiKey: string
}

/**
 * Makes the first workspace, its owner and a FULL_ACCESS key on an empty database.
 * @param givenKey the key to use; one is made otherwise
 * @param ownerEmail the owner's address, with which they sign in
 * @returns null when there is a workspace already
 */
export async function bootstrap(
  deps: Deps,
  givenKey: string | undefined,
  ownerEmail: string,
): Promise<FirstStart | null> {
  return inTransaction(deps, async (tx) => {
    // Nodes that start together wait here for each other.
    await tx.db.$queryRaw`SELECT pg_advisory_xact_lock(${BOOTSTRAP_LOCK})::text`
    if ((await tx.db.workspace.count()) > 0) return null
    const ids = { workspace: newId('workspace'), user: newId('user') }
    const apiKey = givenKey ?? newApiKey()
    await tx.db.workspace.create({ data: { id: ids.workspace, name: 'My workspace', slug: 'my-workspace' } })
    await tx.db.user.create({ data: { id: ids.user, email: ownerEmail, name: 'Owner' } })
    const scope = { workspaceId: ids.workspace, userId: ids.user }
    await tx.db.member.create({ data: { id: newId('member'), ...scope, role: 'OWNER' } })
    await tx.db.apiKey.create({
      data: { ...apiKeyRow(apiKey), ...scope, name: 'First key', permission: 'FULL_ACCESS' },
    })
    const target = { type: 'workspace', id: ids.workspace, name: 'My workspace' } as const
    const at = deps.clock.now()
    await recordAudit(tx, systemAuditor(ids.workspace), { action: 'workspace.created', target, at })
    return { workspaceId: ids.workspace, ownerEmail, apiKey }
  })
}
