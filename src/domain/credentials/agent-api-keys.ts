import type { ApiKey } from '../../generated/prisma/client.ts'
import { Prisma } from '../../infra/database/db.ts'
import type { Actor } from '../shared/actor.ts'
import { hasLevel } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'
import { columnsAs, type OwnedRange, rangeOfEach } from '../shared/page-sql.ts'

/** Whether an actor sees the keys of agents: with FULL_ACCESS, like all keys of the workspace. No agent has that. */
export function mayReadAgentKeys(actor: Pick<Actor, 'permission'>): boolean {
  return hasLevel(actor.permission, 'FULL_ACCESS')
}

const COLUMNS = columnsAs('r', Object.values(Prisma.ApiKeyScalarFieldEnum))

/** The same range of the keys of many of the workspace's agents, newest first, revoked ones included; none below FULL_ACCESS. */
export async function apiKeysOfAgents(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  agentIds: readonly string[],
  range: OwnedRange,
): Promise<Map<string, ApiKey[]>> {
  if (!mayReadAgentKeys(actor)) return new Map()
  const where = Prisma.sql`r.workspace_id = ${actor.workspaceId} AND r.agent_id = owner.id`
  const rows = await db.prisma.$queryRaw<(ApiKey & { ownerId: string })[]>(
    rangeOfEach(agentIds, { columns: COLUMNS, from: Prisma.sql`api_keys r`, where }, range),
  )
  return Map.groupBy(rows, ({ ownerId }) => ownerId)
}

/** How many keys each agent has, of those that apiKeysOfAgents finds; agents without any are left out. */
export async function countApiKeysOfAgents(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  agentIds: readonly string[],
): Promise<Map<string, number>> {
  if (!mayReadAgentKeys(actor)) return new Map()
  const where = { workspaceId: actor.workspaceId, agentId: { in: [...agentIds] } }
  const counts = await db.prisma.apiKey.groupBy({ by: ['agentId'], where, _count: true })
  return new Map(counts.map(({ agentId, _count }) => [agentId ?? '', _count]))
}
