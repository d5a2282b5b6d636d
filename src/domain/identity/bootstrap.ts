import { inTransaction } from '../../infra/database/transaction.ts'
import { recordAudit, systemAuditor } from '../audit/audit.ts'
import { apiKeyRow } from '../credentials/api-keys.ts'
import type { Deps } from '../shared/deps.ts'
import { newId } from '../shared/ids.ts'

const BOOTSTRAP_LOCK = 0x67644253 // "gdBS"

/** The objects that the first start created. */
export interface FirstStart {
  readonly workspaceId: string
  readonly ownerEmail: string
  /** The key in plain text, which is stored only as a hash. Null if none was created. */
  readonly apiKey: string | null
}

/**
 * Creates the first workspace, its owner and a FULL_ACCESS key in an empty database.
 * @param apiKey the key; null: none is created
 * @param ownerEmail the address with which the owner signs in
 * @returns null when there is already a workspace
 */
export async function bootstrap(deps: Deps, apiKey: string | null, ownerEmail: string): Promise<FirstStart | null> {
  return inTransaction(deps, async (tx) => {
    // Nodes that start at the same time wait here for each other.
    await tx.db.$queryRaw`SELECT pg_advisory_xact_lock(${BOOTSTRAP_LOCK})::text`
    if ((await tx.db.workspace.count()) > 0) return null
    const at = deps.clock.now()
    const ids = { workspace: newId('workspace'), user: newId('user') }
    await tx.db.workspace.create({ data: { id: ids.workspace, name: 'My workspace', slug: 'my-workspace' } })
    await tx.db.user.create({ data: { id: ids.user, email: ownerEmail, name: 'Owner', emailVerifiedAt: at } })
    const scope = { workspaceId: ids.workspace, userId: ids.user }
    await tx.db.member.create({ data: { id: newId('member'), ...scope, role: 'OWNER' } })
    if (apiKey !== null) {
      const row = { ...apiKeyRow(apiKey), ...scope, name: 'First key', permission: 'FULL_ACCESS' as const }
      await tx.db.apiKey.create({ data: row })
    }
    const target = { type: 'workspace', id: ids.workspace, name: 'My workspace' } as const
    await recordAudit(tx, systemAuditor(ids.workspace), { action: 'workspace.created', target, at })
    return { workspaceId: ids.workspace, ownerEmail, apiKey }
  })
}
