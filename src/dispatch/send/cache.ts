const MAX_ENTRIES = 10_000

/**
 * Remembers what was made of a text in a context. A sealed secret opens in its own row only, so the row's id is its context:
 * the same text in another row is made again, and refused. A full cache is cleared: making an entry again costs
 * microseconds.
 */
export function cache<T>(make: (text: string, context: string) => T): (text: string, context?: string) => T {
  const entries = new Map<string, { readonly context: string; readonly value: T }>()
  return (text, context = '') => {
    const known = entries.get(text)
    if (known?.context === context) return known.value
    const value = make(text, context)
    if (entries.size >= MAX_ENTRIES) entries.clear()
    entries.set(text, { context, value })
    return value
  }
}
