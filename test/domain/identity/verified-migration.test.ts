import { expect, test } from 'vitest'
import { migrate, readMigrations } from '../../../src/infra/database/migrations.ts'
import { openEmptyPool } from '../../support/database.ts'

const HOUR = 3_600_000
const DAY_0 = Date.parse('2026-01-01T00:00:00Z')

test('addresses count as verified of the first owner, and of whoever signed in while a link of theirs was valid', async () => {
  const { pool, drop } = await openEmptyPool()
  const migrations = readMigrations()
  const at = migrations.findIndex(({ name }) => name.endsWith('_verified_addresses_and_mail'))
  await migrate(pool, migrations.slice(0, at))

  const user = (id: string, hours: number) =>
    pool.query('INSERT INTO users (id, email, name, created_at, updated_at) VALUES ($1, $2, $1, $3, $3)', [
      id,
      `${id}@example.com`,
      new Date(DAY_0 + hours * HOUR),
    ])
  let entries = 0
  const entry = (action: string, who: { by?: string; target: string }, hours: number) => {
    entries += 1
    return pool.query(
      `INSERT INTO audit_entries (id, actor_type, actor_id, actor_name, user_id, action, target_type, target_id, created_at)
       VALUES ($1, 'user', 'x', 'x', $2, $3, 'user', $4, $5)`,
      [`aud_${entries}`, who.by ?? null, action, who.target, new Date(DAY_0 + hours * HOUR)],
    )
  }
  for (const [i, id] of ['owner', 'linked', 'late', 'early', 'password', 'asked'].entries()) await user(id, i)
  await entry('sign_in_link.created', { target: 'linked' }, 10)
  await entry('session.created', { by: 'linked', target: 'ses_1' }, 11)
  await entry('session.created', { by: 'linked', target: 'ses_2' }, 20)
  await entry('sign_in_link.created', { target: 'late' }, 10)
  await entry('session.created', { by: 'late', target: 'ses_3' }, 35)
  await entry('session.created', { by: 'early', target: 'ses_4' }, 9)
  await entry('sign_in_link.created', { target: 'early' }, 10)
  await entry('session.created', { by: 'password', target: 'ses_5' }, 10)
  await entry('sign_in_link.created', { target: 'asked' }, 10)
  await entry('session.created', { by: 'password', target: 'ses_6' }, 11)

  await migrate(pool, migrations)
  const { rows } = await pool.query('SELECT id, email_verified_at AS at FROM users ORDER BY created_at')
  expect(rows).toEqual([
    { id: 'owner', at: new Date(DAY_0) },
    { id: 'linked', at: new Date(DAY_0 + 11 * HOUR) },
    { id: 'late', at: null },
    { id: 'early', at: null },
    { id: 'password', at: null },
    { id: 'asked', at: null },
  ])
  await pool.end()
  await drop()
})
