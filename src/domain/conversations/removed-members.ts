import type { Deps } from '../shared/deps.ts'
import { kindOfId } from '../shared/ids.ts'

/**
 * The members of a workspace that were removed and whose conversations still name them.
 * @returns their ids; usually none
 */
export async function removedMembers({ db }: Pick<Deps, 'db'>, workspaceId: string): Promise<string[]> {
  const rows = await db.sql<{ id: string }>('SELECT id FROM removals WHERE workspace_id = $1', [workspaceId])
  return rows.map(({ id }) => id).filter((id) => kindOfId(id) === 'member')
}
