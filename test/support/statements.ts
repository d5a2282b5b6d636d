import { vi } from 'vitest'
import type { TestGudDesk } from './guddesk.ts'

/** Runs `work` and returns the SQL that the server sent meanwhile outside of transactions, as queries do. */
export async function statementsOf(guddesk: TestGudDesk, work: () => Promise<unknown>): Promise<string[]> {
  const spy = vi.spyOn(guddesk.deps.db.pool, 'query')
  try {
    await work()
    return spy.mock.calls.map(([config]) => {
      const statement: unknown = config
      if (typeof statement === 'string') return statement
      return (statement as { text: string }).text
    })
  } finally {
    spy.mockRestore()
  }
}
