import { afterAll, beforeAll, expect, test } from 'vitest'
import { authenticateKey } from '../../src/auth/api-key.ts'
import { newApiKey } from '../../src/infra/secrets.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../support/guddesk.ts'
import { statementsOf } from '../support/statements.ts'

let guddesk: TestGudDesk
let other: Tenant

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  other = await guddesk.newTenant()
})

afterAll(() => guddesk?.stop())

/** The workspace that a key is for, or why there is none. */
async function workspaceOf(key: string | null): Promise<string | null> {
  return authenticateKey(guddesk.deps, key).then(
    ({ workspaceId }) => workspaceId,
    (error: Error) => error.name,
  )
}

test('requests that come together are looked up in one statement, and each gets its own answer', async () => {
  // Their lastUsedAt is noted once a minute, by a statement of its own.
  await Promise.all([workspaceOf(guddesk.tenant.key), workspaceOf(other.key)])
  const keys = [guddesk.tenant.key, other.key, newApiKey(), 'malformed', null]
  const asked = Array.from({ length: 50 }, (_, i) => keys[i % keys.length] ?? null)
  let found: unknown[] = []
  const statements = await statementsOf(guddesk, async () => {
    found = await Promise.all(asked.map(workspaceOf))
  })
  const expected = [
    guddesk.tenant.workspaceId,
    other.workspaceId,
    'UnauthorizedError',
    'UnauthorizedError',
    'UnauthorizedError',
  ]
  expect(found).toEqual(asked.map((_, i) => expected[i % keys.length]))
  expect(statements.filter((text) => text.includes('FROM api_keys'))).toHaveLength(1)
})

test('a key that was revoked is refused, whatever look-up is under way', async () => {
  const key = await guddesk.newKey(other, 'READ_ONLY')
  const before = workspaceOf(key)
  await guddesk.deps.db.sql('UPDATE api_keys SET revoked_at = now() WHERE workspace_id = $1 AND permission = $2', [
    other.workspaceId,
    'READ_ONLY',
  ])
  const [, ...after] = await Promise.all([before, workspaceOf(key), workspaceOf(key)])
  expect(after).toEqual(['UnauthorizedError', 'UnauthorizedError'])
})
