import { authenticateKey } from '../../../src/auth/api-key.ts'
import type { EventFilter } from '../../../src/domain/events/event-filter.ts'
import { inEventTransaction, lockKey, WORKSPACE_LOCK } from '../../../src/domain/events/event-lock.ts'
import { cursorAt, type LoggedEvent } from '../../../src/domain/events/event-position.ts'
import { eventsTopic } from '../../../src/domain/events/events.ts'
import type { Actor } from '../../../src/domain/shared/actor.ts'
import { type EventUpdate, openEventLog } from '../../../src/live/event-log.ts'
import type { Tenant, TestGudDesk } from '../../support/guddesk.ts'
import { until } from '../../support/until.ts'

/** Somebody who follows the event log in the background. */
export interface Follower {
  readonly events: (LoggedEvent & Pick<EventUpdate, 'cursor'>)[]
  /** The events' ids; of inserted ones, the names. */
  names(): string[]
  /** Waits until it knows of an event that it cannot be given yet, behind a writer that is not done. */
  held(): Promise<void>
  stop(): Promise<void>
}

/** One workspace's event log, written and read directly. */
export interface LogOf {
  readonly actor: Actor
  /** Live from the moment that it returns. */
  follow(options?: EventFilter & { after?: string | null }): Promise<Follower>
  /** Waits until followers have been given whatever was committed before: what they have not got by then does not come. */
  passed(...followers: readonly Follower[]): Promise<void>
  /** Events that are called name_1, name_2, … */
  insert(name: string, count?: number): Promise<void>
  /** Names of every event, in the log's order. */
  logged(): Promise<string[]>
  /** A writer of this workspace's events that is open, and has its transaction id, while `meanwhile` runs. */
  during(
    end: 'COMMIT' | 'ROLLBACK',
    meanwhile: (insert: (name: string, count?: number) => Promise<void>) => Promise<void>,
  ): Promise<void>
}

const INSERT = `INSERT INTO events (id, workspace_id, type, body)
  SELECT $1 || '_' || n || '@' || $2, $2, 'ping', '{"event":"ping","data":{},"timestamp":"2026-01-15T10:00:00.000Z"}'
    FROM generate_series(1, $3::int) n`

const nameOf = ({ id }: { id: string }) => id.split('@')[0] ?? id

export async function logOf({ deps }: TestGudDesk, { workspaceId, key }: Tenant): Promise<LogOf> {
  const actor = await (await authenticateKey(deps, key)).actorIn(undefined)
  let fences = 0
  const insert: LogOf['insert'] = async (name, count = 1) => {
    await inEventTransaction(deps, { workspaceId }, (tx) => tx.db.$queryRawUnsafe(INSERT, name, workspaceId, count))
    deps.bus.notify(eventsTopic(workspaceId))
  }
  return {
    actor,
    async follow(options = {}) {
      const log = openEventLog(deps)
      const controller = new AbortController()
      const events: Follower['events'] = []
      const batches = log.batches(workspaceId, options, controller.signal)
      // It knows where it begins.
      await batches.next()
      const running = (async () => {
        for await (const batch of batches) {
          for (const event of batch.events) events.push({ ...event, cursor: cursorAt(event.position) })
        }
      })()
      return {
        events,
        names: () => events.map(nameOf),
        held: () => until(() => log.lagMs() > 0),
        async stop() {
          controller.abort()
          await running
          log.close()
        },
      }
    },
    async passed(...followers) {
      const fence = `fence${++fences}`
      await insert(fence)
      const isFence = (event: LoggedEvent) => nameOf(event) === `${fence}_1`
      for (const { events } of followers) {
        await until(() => events.some(isFence))
        events.splice(events.findIndex(isFence), 1)
      }
      await deps.db.sql('DELETE FROM events WHERE id = $1', [`${fence}_1@${workspaceId}`])
    },
    insert,
    async logged() {
      const sql = 'SELECT id FROM events WHERE workspace_id = $1 ORDER BY xid, seq'
      return (await deps.db.sql<{ id: string }>(sql, [workspaceId])).map(nameOf)
    },
    async during(end, meanwhile) {
      const client = await deps.db.pool.connect()
      try {
        await client.query('BEGIN')
        await client.query(`SELECT pg_advisory_xact_lock_shared(${WORKSPACE_LOCK}, ${lockKey(workspaceId)})`)
        await client.query('SELECT pg_current_xact_id()')
        await meanwhile(async (name, count = 1) => {
          await client.query(INSERT, [name, workspaceId, count])
        })
        await client.query(end)
      } finally {
        // Ends the transaction too, when the test failed inside.
        client.release(true)
      }
    },
  }
}
