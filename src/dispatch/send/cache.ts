const MAX_ENTRIES = 10_000

/**
 * Caches the result of a function of a text, by context. A sealed secret opens only in its own row, so the row's id is
 * its context: the same text in another row is computed again, and refused. A full cache is cleared: computing an entry
 * takes microseconds.
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
