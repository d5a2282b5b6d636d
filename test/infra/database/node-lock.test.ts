import pg from 'pg'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { type Database, openDatabase } from '../../../src/infra/database/db.ts'
import { createLog } from '../../../src/infra/log.ts'
import { backend, createPostgres } from '../../support/database.ts'
import { startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { REDIS_URL } from '../../support/servers.ts'
import { pause, until } from '../../support/until.ts'

const stops: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

interface Node {
  readonly guddesk: TestGudDesk
  readonly receiver: Receiver
  readonly conversationId: string
  /** Opens the database as another node does, and nothing more. */
  open(redisUrl: string | undefined): Promise<Database>
  /** Ends the connection that holds the lock, at the server. */
  loseLock(): Promise<void>
  health(): Promise<[status: number, message: string]>
  say(body: string): Promise<void>
}

async function startNode(redisUrl: string | undefined): Promise<Node> {
  const { url, drop } = await createPostgres(inject('postgresTemplate'))
  stops.push(drop)
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  stops.push(() => admin.end())
  const log = createLog('silent')
  const open = (redis: string | undefined) =>
    openDatabase({ databaseUrl: url, directDatabaseUrl: undefined, dataDir: '', redisUrl: redis }, log)
  const guddesk = await startGudDesk({ db: await open(redisUrl), env: { REDIS_URL: redisUrl ?? '' } })
  stops.push(() => guddesk.stop())
  const receiver = await startReceiver()
  stops.push(() => receiver.close())
  await guddesk.call('POST', '/api/agent/webhooks', { url: receiver.url, events: { onConversationCreated: false } })
  const conversationId = await guddesk.newConversation()
  return {
    guddesk,
    receiver,
    conversationId,
    open,
    async loseLock() {
      expect((await admin.query(END_HOLDERS)).rows).toEqual([{ ended: true }])
    },
    async health() {
      const { status, body } = await guddesk.call('GET', '/healthz', undefined, { key: null })
      return [status, body.error?.message ?? body.data.status]
    },
    async say(body) {
      const path = `/api/v1/conversations/${conversationId}/messages`
      expect((await guddesk.call('POST', path, { body, type: 'AGENT' })).status).toBe(201)
    },
  }
}

/** A request would be sent by then. Nothing comes in its place that could be waited for: this node sends nothing at all. */
const WOULD_BE_SENT_MS = 300

const END_HOLDERS = `SELECT pg_terminate_backend(pid, 5000) AS ended FROM pg_locks
  WHERE locktype = 'advisory' AND objid = ${0x67644e44} AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`

/** The embedded database is guarded by a lock of the operating system, which ends with the process and not before. */
describe.runIf(backend === 'postgres')('a node loses its lock on the database', () => {
  test.for([
    { name: 'without Redis', redisUrl: undefined, taken: /^Another process took the lock/ },
    { name: 'with Redis', redisUrl: REDIS_URL, taken: /^A process without REDIS_URL took the lock/ },
  ])('$name: it sends nothing while another node has it, says so, and goes on when it is free', async (kind) => {
    const { receiver, ...node } = await startNode(kind.redisUrl)
    await node.say('first')
    await receiver.waitFor(1)
    expect(await node.health()).toEqual([200, 'ok'])
    await expect(node.open(undefined)).rejects.toThrow('Another process is running on this database.')
    let other: Database | undefined
    while (other === undefined) {
      // Which of the two is first to take it is chance.
      const opening = node.open(undefined).catch(() => undefined)
      await node.loseLock()
      other = await opening
    }
    stops.push(async () => other?.close())
    await until(async () => kind.taken.test((await node.health())[1]))
    expect((await node.health())[0]).toBe(503)
    await node.say('second')
    node.guddesk.advance(60_000)
    await pause(WOULD_BE_SENT_MS)
    expect(receiver.received).toHaveLength(1)
    await other.close()
    stops.pop()
    await receiver.waitFor(2)
    expect(await node.health()).toEqual([200, 'ok'])
  })

  test('it takes it again by itself, and sends nothing from the moment at which it was lost', async () => {
    const { receiver, ...node } = await startNode(undefined)
    await node.say('first')
    await receiver.waitFor(1)
    await node.loseLock()
    await node.say('second')
    const [status, message] = await node.health()
    // It may have it again already; if not, nothing may have been sent.
    if (status === 503) {
      expect(message).toMatch(/^The node has lost its lock on the database/)
      expect(receiver.received).toHaveLength(1)
    }
    await receiver.waitFor(2)
    expect(await node.health()).toEqual([200, 'ok'])
    await expect(node.open(undefined)).rejects.toThrow('Another process is running on this database.')
    expect(node.guddesk.logs.map(({ msg }) => msg)).not.toContain('dispatcher removed by another one; rejoining')
  })
})
