import type { PGlite } from '@electric-sql/pglite'

/** What PGlite throws for an error of a statement: its way back to PostgreSQL's main loop. */
const LONGJMP = 100

/**
 * PGlite goes on with a message after whatever is thrown while it runs, for ever when PostgreSQL has aborted (a PANIC: the
 * log could not be written). Here the abort ends the message, and the instance, which must not be used again.
 */
export function haltOnAbort(pglite: PGlite, aborted: (error: unknown) => void): void {
  const { Module: module } = pglite
  const runOnce = module._PostgresMainLoopOnce
  module._PostgresMainLoopOnce = () => {
    try {
      return runOnce()
    } catch (error) {
      if (isLongJump(error)) throw error
      // The next thing that PGlite calls, and where it catches nothing.
      module.stackRestore = () => {
        throw error
      }
      aborted(error)
      throw error
    }
  }
}

function isLongJump(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'status' in error && error.status === LONGJMP
}
