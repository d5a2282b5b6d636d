import type { Agent, ApiKey, Visitor } from '../../generated/prisma/client.ts'
import type { MemberWithUser } from '../identity/workspaces.ts'
import type { Actor } from '../shared/actor.ts'
import { hasLevel } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { type IdKind, kindOfId } from '../shared/ids.ts'

/** Who wrote a message. */
export type Sender = Visitor | MemberWithUser | Agent | ApiKey

/**
 * Senders by id, of whatever kinds, in one statement; those that are no more are left out. API keys are for FULL_ACCESS
 * only, as everywhere; to anybody else they are none.
 */
export async function sendersById(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  ids: readonly string[],
): Promise<Map<string, Sender>> {
  const of = (kind: IdKind) => ({ where: { id: { in: ids.filter((id) => kindOfId(id) === kind) } } })
  // Through the workspace: nothing of another one can be reached.
  const found = await db.prisma.workspace.findUnique({
    where: { id: actor.workspaceId },
    select: {
      visitors: of('visitor'),
      members: { ...of('member'), include: { user: true } },
      agents: of('agent'),
      ...(hasLevel(actor.permission, 'FULL_ACCESS') && { apiKeys: of('apiKey') }),
    },
  })
  if (found === null) return new Map()
  const { visitors, members, agents } = found
  const apiKeys: ApiKey[] = 'apiKeys' in found && Array.isArray(found.apiKeys) ? found.apiKeys : []
  return new Map([...visitors, ...members, ...agents, ...apiKeys].map((row): [string, Sender] => [row.id, row]))
}
