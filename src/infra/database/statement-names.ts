import { createHash } from 'node:crypto'

/** Every connection keeps a named statement, with its plan, for as long as it lives. */
const MOST_NAMES = 64
const MOST_COUNTED = 1000
const TIMES_BEFORE = 5

/**
 * Names for statements whose text is put together from what somebody asks for. A named statement is sent, parsed and
 * planned once per connection, which for a list is as much as reading it. Those that come again and again get a name, as
 * long as there are any left: nobody can fill connections with statements of their making.
 */
export class StatementNames {
  readonly #names = new Map<string, string>()
  readonly #times = new Map<string, number>()

  /** The name to send a statement by; undefined: without one. */
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
    // What comes seldom is forgotten with the rest.
    if (this.#times.size === MOST_COUNTED) this.#times.clear()
    this.#times.set(text, times)
    return undefined
  }
}
