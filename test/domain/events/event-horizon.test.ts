import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { horizonOf, wholeXid } from '../../../src/domain/events/event-horizon.ts'
import { inEventTransaction, lockKey, WORKSPACE_LOCK } from '../../../src/domain/events/event-lock.ts'
import { holdTransaction, inTransaction } from '../../../src/infra/database/transaction.ts'
import { openEventLog } from '../../../src/live/event-log.ts'
import { backend } from '../../support/database.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { POSTGRES_URL } from '../../support/servers.ts'
import { until } from '../../support/until.ts'
import { logOf } from './follow.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk()
})

afterAll(() => guddesk?.stop())

test('a transaction that has written already cannot begin to record events', async () => {
  const { deps, tenant } = guddesk
  const { db } = deps
  const scope = { workspaceId: tenant.workspaceId }
  const late = async (held: typeof db) => {
    await inTransaction({ db: held }, (tx) => tx.db.$queryRaw`SELECT pg_current_xact_id()::text`)
    return inEventTransaction({ db: held }, scope, async () => 'done')
  }
  await expect(holdTransaction(db, late, async () => undefined)).rejects.toThrow('before it writes')
  await expect(inEventTransaction(deps, scope, async () => 'done')).resolves.toBe('done')
})

test.each([
  [5n, 5n],
  [7n, 5n],
  [3n, 5n],
  [2n ** 32n + 3n, 2n ** 32n + 1n],
  // The counter of 32 bits has wrapped since the writer began, or since the snapshot.
  [2n ** 32n - 2n, 2n ** 32n + 1n],
  [2n ** 32n + 1n, 2n ** 32n - 2n],
  [3n * 2n ** 32n - 9n, 3n * 2n ** 32n + 20n],
])('the whole of transaction id %s is found near %s', async (whole, near) => {
  const low = BigInt.asUintN(32, whole)
  const sql = `SELECT ${wholeXid(`${low}::bigint`, `${near}::bigint`)}::text AS xid`
  expect(await guddesk.deps.db.sql(sql)).toEqual([{ xid: String(whole) }])
})

describe.runIf(backend === 'postgres')('open transactions', () => {
  /** Somebody with a transaction open that has its id, while `meanwhile` runs. */
  async function whileOpen(url: string, statements: string[], meanwhile: () => Promise<void>): Promise<void> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      await client.query('BEGIN')
      for (const statement of statements) await client.query(statement)
      await client.query('SELECT pg_current_xact_id()')
      await meanwhile()
    } finally {
      await client.end()
    }
  }

  const urlOfTest = async () => {
    const [row] = await guddesk.deps.db.sql<{ name: string }>('SELECT current_database() AS name')
    const url = new URL(POSTGRES_URL)
    url.pathname = `/${row?.name}`
    return url.href
  }

  async function expectLive(): Promise<void> {
    const log = await logOf(guddesk, guddesk.tenant)
    const follower = await log.follow()
    const began = performance.now()
    const id = await guddesk.newConversation(guddesk.tenant, 'hello')
    await until(() => follower.events.filter(({ conversationId }) => conversationId === id).length === 2, 1000)
    expect(performance.now() - began).toBeLessThan(1000)
    await follower.stop()
    const { data } = await guddesk.graphql(
      `{ conversation(id: "${id}") { events { totalCount edges { node { type } } } } }`,
    )
    expect(data.conversation.events).toMatchObject({ totalCount: 2, edges: { length: 2 } })
  }

  test('of another database hold nothing back', async () => {
    await whileOpen(POSTGRES_URL, [], expectLive)
  })

  test('of this database that write no events hold nothing back', async () => {
    await whileOpen(await urlOfTest(), [], expectLive)
  })

  test('that write events of another workspace hold nothing back', async () => {
    const { workspaceId } = await guddesk.newTenant()
    const lock = `SELECT pg_advisory_xact_lock_shared(${WORKSPACE_LOCK}, ${lockKey(workspaceId)})`
    await whileOpen(await urlOfTest(), [lock], expectLive)
  })

  test('that write events of this workspace hold back what follows, which the log says', async () => {
    const { deps, tenant } = guddesk
    const events = openEventLog(deps)
    const { actor } = await logOf(guddesk, tenant)
    const stopping = new AbortController()
    const followed: string[] = []
    const following = (async () => {
      for await (const { event } of events.follow(actor, {}, stopping.signal)) followed.push(event.id)
    })()
    const lock = `SELECT pg_advisory_xact_lock_shared(${WORKSPACE_LOCK}, ${lockKey(tenant.workspaceId)})`
    await whileOpen(await urlOfTest(), [lock], async () => {
      await guddesk.newConversation(tenant)
      guddesk.clock.advance(2000)
      await until(() => events.lagMs() >= 2000)
      expect(followed).toEqual([])
    })
    await until(() => events.lagMs() === 0 && followed.length === 1)
    stopping.abort()
    await following
    events.close()
  })

  test('of a role whose transaction ids we may not see hold back everything from the oldest on', async () => {
    const { db } = guddesk.deps
    const { workspaceId } = await guddesk.newTenant()
    const role = `guddesk_hidden_${Date.now()}`
    await db.sql(`CREATE ROLE ${role} LOGIN`)
    const url = new URL(await urlOfTest())
    url.username = role
    const hidden = new pg.Pool({ connectionString: url.href })
    try {
      const lock = `SELECT pg_advisory_xact_lock_shared(${WORKSPACE_LOCK}, ${lockKey(workspaceId)})`
      await whileOpen(await urlOfTest(), [lock], async () => {
        const asHidden = {
          ...db,
          sql: async (text: string, params: unknown[] = []) => (await hidden.query(text, params)).rows,
        }
        const [row] = await db.sql<{ oldest: string }>('SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS oldest')
        expect(await horizonOf(asHidden as typeof db, workspaceId)).toBe(BigInt(row?.oldest ?? 0))
      })
    } finally {
      await hidden.end()
      await db.sql(`DROP ROLE ${role}`)
    }
  })
})
