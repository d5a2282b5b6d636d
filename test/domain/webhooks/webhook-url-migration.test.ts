import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate, readMigrations } from '../../../src/infra/database/migrations.ts'
import { openEmptyPool } from '../../support/database.ts'

const migrations = readMigrations()
const upTo = migrations.findIndex(({ name }) => name.endsWith('_webhook_urls_without_empty_query'))

let pool: pg.Pool
let drop: () => Promise<void>
let made = 0

beforeAll(async () => {
  ;({ pool, drop } = await openEmptyPool())
  await migrate(pool, migrations.slice(0, upTo))
  for (const id of ['ws_1', 'ws_2']) {
    await insert('workspaces', { id, name: id, slug: id.replace('_', '-'), updated_at: new Date() })
  }
  await insert('agents', { id: 'agt_1', workspace_id: 'ws_1', name: 'A', updated_at: new Date() })
  await spell()
  await choose()
  await subscribe()
  await deliver()
  await migrate(pool, migrations)
})

afterAll(async () => {
  await pool?.end()
  await drop?.()
})

async function insert(table: string, row: Record<string, unknown>): Promise<void> {
  const places = Object.keys(row).map((_, i) => `$${i + 1}`)
  const text = `INSERT INTO ${table} (${Object.keys(row).join()}) VALUES (${places.join()})`
  await pool.query(text, Object.values(row))
}

/** Later ones are younger. */
async function endpoint(id: string, url: string, more: Record<string, unknown> = {}): Promise<void> {
  made += 1
  const at = new Date(Date.parse('2026-01-01') + made * 1000)
  const row = { id, workspace_id: 'ws_1', url, sealed_secret: `sealed ${id}`, created_at: at, updated_at: at }
  await insert('webhook_endpoints', { ...row, ...more })
}

async function delivery(eventId: string, endpointId: string, status: string): Promise<void> {
  const event = { id: eventId, workspace_id: 'ws_1', type: 'message.created', body: '{}' }
  const { rowCount } = await pool.query('SELECT 1 FROM events WHERE id = $1', [eventId])
  if (rowCount === 0) await insert('events', event)
  const due = status === 'PENDING' ? new Date() : null
  const row = { id: `${eventId} ${endpointId}`, workspace_id: 'ws_1', event_id: eventId, endpoint_id: endpointId }
  await insert('deliveries', { ...row, seq: 1, status, due, finished_at: due === null ? new Date() : null })
}

const endpoints = async (host: string) => {
  const text = "SELECT id, url FROM webhook_endpoints WHERE url LIKE 'https://%' || $1 || '/%' ORDER BY id"
  return (await pool.query(text, [host])).rows.map(({ id, url }) => `${id} ${url}`)
}

async function spell(): Promise<void> {
  await endpoint('whk_11', 'https://spelt.example/hook?')
  await endpoint('whk_12', 'https://spelt.example/hook?x=1')
  await endpoint('whk_13', 'https://spelt.example/hook?x=1?')
  await endpoint('whk_14', 'https://spelt.example/hook??')
  await endpoint('whk_15', 'https://spelt.example/')
  await endpoint('whk_16', 'https://spelt.example/hook?', { workspace_id: 'ws_2' })
}

test('an empty query is dropped, and other question marks stay', async () => {
  expect(await endpoints('spelt.example')).toEqual([
    'whk_11 https://spelt.example/hook',
    'whk_12 https://spelt.example/hook?x=1',
    'whk_13 https://spelt.example/hook?x=1?',
    'whk_14 https://spelt.example/hook??',
    'whk_15 https://spelt.example/',
    'whk_16 https://spelt.example/hook',
  ])
})

async function choose(): Promise<void> {
  const later = { last_success_at: new Date('2026-01-03') }
  await endpoint('whk_21', 'https://enabled.kept/', { is_enabled: false, agent_id: 'agt_1' })
  await endpoint('whk_22', 'https://enabled.kept/?')
  await endpoint('whk_23', 'https://agents.kept/', later)
  await endpoint('whk_24', 'https://agents.kept/?', { agent_id: 'agt_1' })
  await endpoint('whk_25', 'https://succeeded.kept/')
  await endpoint('whk_26', 'https://succeeded.kept/?', later)
  await endpoint('whk_27', 'https://older.kept/?')
  await endpoint('whk_28', 'https://older.kept/')
}

test('of two spellings the endpoint that works is kept, and the audit log says so', async () => {
  expect(await endpoints('.kept')).toEqual([
    'whk_22 https://enabled.kept/',
    'whk_24 https://agents.kept/',
    'whk_26 https://succeeded.kept/',
    'whk_27 https://older.kept/',
  ])
  const { rows } = await pool.query(`SELECT target_id, target_name, actor_type, data FROM audit_entries
    WHERE workspace_id = 'ws_1' AND action = 'webhook_endpoint.deleted' AND target_name LIKE '%.kept/%' ORDER BY target_id`)
  const entry = (target_id: string, target_name: string, mergedInto: string) => {
    return { target_id, target_name, actor_type: 'system', data: { mergedInto } }
  }
  expect(rows).toEqual([
    entry('whk_21', 'https://enabled.kept/', 'whk_22'),
    entry('whk_23', 'https://agents.kept/', 'whk_24'),
    entry('whk_25', 'https://succeeded.kept/', 'whk_26'),
    entry('whk_28', 'https://older.kept/', 'whk_27'),
  ])
})

async function subscribe(): Promise<void> {
  const flags = { on_message_created: false, on_conversation_closed: true, on_conversation_created: false }
  await endpoint('whk_31', 'https://both.flags/')
  await endpoint('whk_32', 'https://both.flags/?', flags)
  await endpoint('whk_33', 'https://one.flags/')
  await endpoint('whk_34', 'https://one.flags/?', { ...flags, is_enabled: false })
}

test('the kept endpoint gets what either subscribed to, unless one was disabled', async () => {
  const { rows } = await pool.query(`SELECT id, sealed_secret AS secret, on_message_created AS message,
    on_conversation_created AS conversation, on_conversation_closed AS closed
    FROM webhook_endpoints WHERE url LIKE '%.flags/%' ORDER BY id`)
  expect(rows).toEqual([
    { id: 'whk_31', secret: 'sealed whk_31', message: true, conversation: true, closed: true },
    { id: 'whk_33', secret: 'sealed whk_33', message: true, conversation: true, closed: false },
  ])
})

async function deliver(): Promise<void> {
  await endpoint('whk_1', 'https://delivered.example/')
  await endpoint('whk_2', 'https://delivered.example/?')
  const both = async (event: string, kept: string, gone: string) => {
    await delivery(event, 'whk_1', kept)
    await delivery(event, 'whk_2', gone)
  }
  await delivery('evt_0', 'whk_1', 'PENDING')
  await delivery('evt_1', 'whk_2', 'PENDING')
  await delivery('evt_2', 'whk_2', 'DELIVERED')
  await both('evt_3', 'PENDING', 'DELIVERED')
  await both('evt_4', 'DELIVERED', 'PENDING')
  await both('evt_5', 'FAILED', 'PENDING')
  await both('evt_6', 'SKIPPED', 'PENDING')
  await both('evt_7', 'FAILED', 'DELIVERED')
  await both('evt_8', 'FAILED', 'SKIPPED')
  await insert('delivery_attempts', { delivery_id: 'evt_1 whk_2', number: 1, started_at: new Date(), duration_ms: 5 })
}

test('no event is lost: what waits for either goes on waiting, and each event is kept once', async () => {
  const { rows } = await pool.query('SELECT id, endpoint_id AS endpoint, status FROM deliveries ORDER BY event_id')
  expect(rows.map(({ id, endpoint, status }) => `${id} ${endpoint} ${status}`)).toEqual([
    'evt_0 whk_1 whk_1 PENDING',
    'evt_1 whk_2 whk_1 PENDING',
    'evt_2 whk_2 whk_1 DELIVERED',
    'evt_3 whk_1 whk_1 PENDING',
    'evt_4 whk_1 whk_1 DELIVERED',
    'evt_5 whk_2 whk_1 PENDING',
    'evt_6 whk_2 whk_1 PENDING',
    'evt_7 whk_2 whk_1 DELIVERED',
    'evt_8 whk_1 whk_1 FAILED',
  ])
  expect((await pool.query('SELECT delivery_id FROM delivery_attempts')).rows).toEqual([{ delivery_id: 'evt_1 whk_2' }])
})
