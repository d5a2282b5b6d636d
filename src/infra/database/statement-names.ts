import { createHash } from 'node:crypto'

/** Every connection keeps its named statements, with their plans, as long as it lives. */
const MOST_NAMES = 64
const MOST_COUNTED = 1000
const TIMES_BEFORE = 5

/**
 * Names for statements whose text depends on the request. A named statement is sent, parsed and planned once per
 * connection, which for a list costs as much as reading it. Recurring statements get a name, up to a maximum, so that
 * clients cannot fill connections with statements.
 */
export class StatementNames {
  readonly #names = new Map<string, string>()
  readonly #times = new Map<string, number>()

  /** The name of a statement; undefined: none. */
  of(text: string): string | undefined {
    const name = this.#names.get(text)
    if (name !== undefined || this.#names.size === MOST_NAMES) return name
    const times = (this.#times.get(text) ?? 0) + 1
    if (times > TIMES_BEFORE) {
      this.#times.delete(text)
      const made = `values_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`
      this.#names.set(text, made)
      return made
    }
    // Rare statements are dropped together.
    if (this.#times.size === MOST_COUNTED) this.#times.clear()
    this.#times.set(text, times)
    return undefined
  }
}
