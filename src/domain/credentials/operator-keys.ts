import { inTransaction } from '../../infra/database/transaction.ts'
import { newApiKey } from '../../infra/secrets.ts'
import { recordAudit, systemAuditor } from '../audit/audit.ts'
import type { Deps } from '../shared/deps.ts'
import { NotFoundError, ValidationError } from '../shared/errors.ts'
import { apiKeyRow } from './api-keys.ts'

/**
 * Creates a FULL_ACCESS key for a member on behalf of the operator, without a permission check. The role of the member
 * limits the key.
 * @param slug the slug of the workspace; optional when the person is in one workspace only
 * @returns the key, which cannot be read again, and its workspace
 * @throws NotFoundError when no user has the address, or the user is no member there; ValidationError when the
 *   workspace must be named
 */
export async function makeOperatorKey(
  deps: Deps,
  { email, slug }: { readonly email: string; readonly slug: string | undefined },
): Promise<{ key: string; workspace: string; role: string }> {
  const where = { user: { email }, ...(slug !== undefined && { workspace: { slug } }) }
  const members = await deps.db.prisma.member.findMany({ where, include: { workspace: true }, orderBy: { id: 'asc' } })
  const [member, another] = members
  if (member === undefined)
    throw new NotFoundError('Member', `${email} is in no ${slug ?? ''} workspace`.replace(/ +/g, ' '))
  if (another !== undefined) {
    const slugs = members.map(({ workspace }) => workspace.slug).join(', ')
    throw new ValidationError([
      { path: 'workspace', message: `name one of ${slugs}: npm run api-key -- ${email} SLUG` },
    ])
  }
  const { workspaceId, userId, role, workspace } = member
  const key = newApiKey()
  await inTransaction(deps, async (tx) => {
    const row = { ...apiKeyRow(key), workspaceId, userId, name: "Operator's key", permission: 'FULL_ACCESS' as const }
    await tx.db.apiKey.create({ data: row })
    const target = { type: 'api_key', id: row.id, name: row.name } as const
    const data = { permission: row.permission, allWorkspaces: false }
    const entry = { action: 'api_key.created', target, data, at: deps.clock.now() } as const
    await recordAudit(tx, systemAuditor(workspaceId), entry)
  })
  return { key, workspace: workspace.name, role }
}
