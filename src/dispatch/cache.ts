const CACHED = 10_000

/** Remembers what was made of a text. When it is full it starts anew: making it again costs microseconds. */
export function cache<T>(make: (text: string, context: string) => T): (text: string, context?: string) => T {
  const made = new Map<string, T>()
  return (text, context = '') => {
    const known = made.get(text)
    if (known !== undefined) return known
    const fresh = make(text, context)
    if (made.size >= CACHED) made.clear()
    made.set(text, fresh)
    return fresh
  }
}
