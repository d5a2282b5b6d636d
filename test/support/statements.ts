import { vi } from 'vitest'
import type { TestGudDesk } from './guddesk.ts'

/** Runs `work` and returns the SQL that the server sent for it outside of transactions, as queries do. */
export async function statementsOf(guddesk: TestGudDesk, work: () => Promise<unknown>): Promise<string[]> {
  const spy = vi.spyOn(guddesk.deps.db.pool, 'query')
  try {
    await work()
    const texts = spy.mock.calls.map(([config]) => {
      const statement: unknown = config
      if (typeof statement === 'string') return statement
      return (statement as { text: string }).text
    })
    // A node shows every few seconds that it lives, whatever it does.
    return texts.filter((text) => !text.includes('INTO nodes'))
  } finally {
    spy.mockRestore()
  }
}
