import type { Actor } from '../shared/actor.ts'
import { requireLevel, requireStaff } from '../shared/authorization.ts'
import type { Deps } from '../shared/deps.ts'

/** The state of a workspace's deliveries. It reveals nothing about other workspaces. */
export interface DispatchState {
  /** Unfinished deliveries, without tests. */
  readonly pending: number
  /** Pending deliveries that wait for a time in the future. */
  readonly scheduled: number
  /** Pending deliveries whose endpoint or agent is disabled. */
  readonly held: number
  /** Pending deliveries that can be sent now, or are being sent. */
  readonly due: number
  /** The age in seconds of the oldest due delivery, from its due time; null without one. */
  readonly oldestDueSeconds: number | null
}

/** Agents see only their own endpoints, as in the list of deliveries. */
export async function getDispatchState(deps: Deps, actor: Actor): Promise<DispatchState> {
  requireLevel(actor, 'READ_ONLY')
  requireStaff(actor)
  const now = deps.clock.steady()
  const [row] = await deps.db.sql<Counted>(COUNT, [actor.workspaceId, now, actor.type === 'agent' ? actor.id : null])
  const { pending = 0, scheduled = 0, held = 0, oldest = null } = row ?? {}
  const oldestDueSeconds = oldest === null ? null : Math.max(0, Math.floor((now.getTime() - oldest.getTime()) / 1000))
  const due = pending - scheduled - held
  return { pending, scheduled, held, due, oldestDueSeconds }
}

interface Counted {
  pending: number
  scheduled: number
  held: number
  oldest: Date | null
}

/** Counts by endpoint, without tests: the index of unfinished deliveries begins with the endpoint. */
const COUNT = `
SELECT count(*)::int AS pending,
       (count(*) FILTER (WHERE live.is_live AND d.due > $2::timestamptz))::int AS scheduled,
       (count(*) FILTER (WHERE NOT live.is_live))::int AS held,
       min(d.due) FILTER (WHERE live.is_live AND d.due <= $2::timestamptz) AS oldest
  FROM webhook_endpoints endpoint
  LEFT JOIN agents agent ON agent.id = endpoint.agent_id
 CROSS JOIN LATERAL (SELECT endpoint.is_enabled AND COALESCE(agent.is_enabled, true) AS is_live) live
  JOIN deliveries d ON d.endpoint_id = endpoint.id AND d.due IS NOT NULL AND NOT d.is_test
 WHERE endpoint.workspace_id = $1 AND endpoint.unregistered_at IS NULL AND ($3::text IS NULL OR endpoint.agent_id = $3)`
