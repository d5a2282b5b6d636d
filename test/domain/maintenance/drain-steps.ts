import { afterAll, beforeAll, beforeEach } from 'vitest'
import { nextUrl, ok } from '../../rest/objects.ts'
import { startGudDesk, type Tenant, type TestGudDesk } from '../../support/guddesk.ts'

// Without the role that drains: what a request leaves behind stays until a test drains it.
export let guddesk: TestGudDesk
export let tenant: Tenant

export const CONVERSATIONS = 1200

export const call = (method: string, path: string, body?: unknown, key = tenant.key) =>
  guddesk.call(method, path, body, { key })

export const register = async (url = nextUrl()): Promise<{ id: string }> =>
  (await ok(call('POST', '/api/agent/webhooks', { url }))).data.endpoint

export const count = async (table: string, condition: string, ...params: unknown[]) => {
  const [row] = await guddesk.deps.db.sql<{ n: number }>(
    `SELECT count(*)::int AS n FROM ${table} WHERE ${condition}`,
    params,
  )
  return row?.n
}

/** A running server, and a workspace for each test. */
export function useTenant(): void {
  beforeAll(async () => {
    guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
  })
  afterAll(() => guddesk?.stop())
  beforeEach(async () => {
    tenant = await guddesk.newTenant()
  })
}
