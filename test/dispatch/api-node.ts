import { afterAll, beforeAll } from 'vitest'
import { type DbConnection, openConnection } from '../../src/dispatch/store/connection.ts'
import { startGudDesk, type TestGudDesk } from '../support/guddesk.ts'

/*
 * A node without a dispatcher, so that nobody but the test does a dispatcher's work, and a session to do it with. Live
 * bindings: each file has its own, and sees what the hooks have put there.
 */

export let guddesk: TestGudDesk
export let connection: DbConnection

export function useApiNode(): void {
  beforeAll(async () => {
    guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
    connection = openConnection(guddesk.deps.db)
  })
  afterAll(async () => {
    await connection?.close()
    await guddesk?.stop()
  })
}

/** The dispatcher that the test is. */
export const ME = 'dispatcher-of-this-test'

/** The test becomes the only dispatcher. */
export async function joinAlone(): Promise<void> {
  const { dispatcher } = guddesk.deps.db.prisma
  await dispatcher.deleteMany()
  await dispatcher.create({ data: { id: ME } })
}
