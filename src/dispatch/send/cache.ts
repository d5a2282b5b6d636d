const CACHED = 10_000

/**
 * Remembers what was made of a text in a context. What is sealed opens in its own row only, so the row's id is the context:
 * the same text in another row is made anew, and refused. When it is full it starts anew: making it again costs
 * microseconds.
 */
export function cache<T>(make: (text: string, context: string) => T): (text: string, context?: string) => T {
  const made = new Map<string, T>()
  return (text, context = '') => {
    // Neither ids nor sealed texts nor URLs have spaces.
    const key = `${context} ${text}`
    const known = made.get(key)
    if (known !== undefined) return known
    const fresh = make(text, context)
    if (made.size >= CACHED) made.clear()
    made.set(key, fresh)
    return fresh
  }
}
