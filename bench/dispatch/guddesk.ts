import pg from 'pg'
import { type DispatcherDeps, startDispatcher } from '../../src/dispatch/dispatcher.ts'
import { systemClock } from '../../src/infra/clock.ts'
import { assemble } from '../../src/infra/database/db.ts'
import { migrate } from '../../src/infra/database/migrations.ts'
import { postgresConnection } from '../../src/infra/database/pg-session.ts'
import { createLog } from '../../src/infra/log.ts'
import { Metrics } from '../../src/infra/metrics.ts'
import { openBus } from '../../src/infra/redis/bus.ts'
import { createSigner } from '../../src/infra/redis/signed-messages.ts'
import { type Contender, inChunks, POOL } from './contender.ts'
import { ENDPOINTS, endpointId, type Job, secretOf, urlOf, vault } from './jobs.ts'

/** GudDesk's part of the Redis. */
const REDIS = { prefix: 'guddesk:bench:', signer: createSigner('the bench’s key', null) }

const WORKSPACE = 'ws_00000000000000000000000000'
export const STORE = `WITH job AS (SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::text[]) AS j(id, endpoint, conversation, body)),
event AS (
  INSERT INTO events (id, workspace_id, type, conversation_id, body)
  SELECT 'evt_' || id, '${WORKSPACE}', 'message.created', 'conv_' || conversation, body FROM job RETURNING id, seq, created_at, conversation_id)
INSERT INTO deliveries (id, workspace_id, event_id, endpoint_id, conversation_id, seq, due, created_at)
SELECT job.id, '${WORKSPACE}', event.id, 'whk_' || lpad(job.endpoint::text, 26, '0'), event.conversation_id, event.seq, event.created_at, event.created_at
  FROM event JOIN job ON event.id = 'evt_' || job.id`
export const rowsOf = (jobs: readonly Job[]) => [
  jobs.map(({ id }) => id),
  jobs.map(({ endpoint }) => endpoint),
  jobs.map(({ conversation }) => conversation),
  jobs.map(({ body }) => body),
]

/** A workspace with the endpoints of all jobs, in a database that is migrated. */
export async function addEndpoints(pool: pg.Pool, port: number): Promise<void> {
  await pool.query(`INSERT INTO workspaces (id, name, slug, updated_at) VALUES ($1, 'Bench', 'bench', now())`, [
    WORKSPACE,
  ])
  for (let n = 0; n < ENDPOINTS; n++) {
    const id = endpointId(n)
    await pool.query(
      `INSERT INTO webhook_endpoints (id, workspace_id, url, sealed_secret, updated_at) VALUES ($1, $2, $3, $4, now())`,
      [id, WORKSPACE, urlOf(port, n), vault.seal(secretOf(n), id)],
    )
  }
}

/** What a dispatcher works with, here. */
export function dispatcherDeps(own: Pick<DispatcherDeps, 'db' | 'bus' | 'log' | 'sharesProcess'>): DispatcherDeps {
  const targets = { requireHttps: false, allowLoopback: true }
  return {
    ...own,
    vault,
    targets,
    clock: systemClock,
    counts: { rowsSetAside: 0 },
    metrics: new Metrics(),
    version: 'bench',
  }
}

export const guddesk: Contender = {
  settings: 'as it runs: order per conversation, 10 in flight per endpoint, breaker, attempt log, endpoint health',
  async prepare({ databaseUrl, port }) {
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 })
    await migrate(pool)
    await addEndpoints(pool, port)
    await pool.end()
  },
  async seed({ databaseUrl }, jobs) {
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 })
    await inChunks(jobs, 5000, (chunk) => pool.query(STORE, rowsOf(chunk)))
    await pool.query('ANALYZE')
    await pool.end()
  },
  async producer({ databaseUrl, redisUrl }) {
    const pool = new pg.Pool({ connectionString: databaseUrl, max: POOL })
    const bus = openBus({ ...REDIS, url: redisUrl }, createLog('silent'))
    return {
      async send(job) {
        await pool.query({ name: 'store', text: STORE, values: rowsOf([job]) })
        bus.notify('dispatch', [endpointId(job.endpoint)])
      },
      async close() {
        await bus.close()
        await pool.end()
      },
    }
  },
  async work({ databaseUrl, redisUrl }) {
    const log = createLog('warn')
    const db = assemble(new pg.Pool({ ...postgresConnection(databaseUrl), max: POOL }), 'shared', async () => undefined)
    const bus = openBus({ ...REDIS, url: redisUrl }, log)
    const dispatcher = await startDispatcher(dispatcherDeps({ db, bus, log, sharesProcess: false }))
    return async () => {
      await dispatcher.stop()
      await bus.close()
      await db.close()
    }
  },
}
