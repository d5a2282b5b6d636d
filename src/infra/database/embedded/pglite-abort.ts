import type { PGlite } from '@electric-sql/pglite'

/** The exception with which PGlite returns to PostgreSQL's main loop after an error of a statement. */
const LONGJMP = 100

/**
 * PGlite continues a message after any exception, and loops forever if PostgreSQL has aborted (a PANIC: the log could
 * not be written). This ends the message and the instance, which must not be used again.
 */
export function haltOnAbort(pglite: PGlite, aborted: (error: unknown) => void): void {
  const { Module: module } = pglite
  const runOnce = module._PostgresMainLoopOnce
  module._PostgresMainLoopOnce = () => {
    try {
      return runOnce()
    } catch (error) {
      if (isLongJump(error)) throw error
      // PGlite calls this next, without catching exceptions.
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
