/**
 * Values of several sources, in the order in which they come. Each source is asked for its next value when its last one
 * was taken, so a slow reader slows them all. Ends with the first source that ends or fails.
 *
 * Not Promise.race over the sources: a source that waits long would gather a reaction for every value of the others.
 * Whoever ends this early must make the sources end by themselves (an AbortSignal): a generator that waits does not hear
 * of its return.
 */
export async function* mergeAsyncIterables<T>(
  ...sources: AsyncGenerator<T, void, undefined>[]
): AsyncGenerator<T, void, undefined> {
  const ready: { source: AsyncGenerator<T, void, undefined>; result: IteratorResult<T, void> }[] = []
  let fault: { error: unknown } | null = null
  let wake: () => void = () => undefined
  const ask = (source: AsyncGenerator<T, void, undefined>) => {
    source.next().then(
      (result) => {
        ready.push({ source, result })
        wake()
      },
      (error: unknown) => {
        fault ??= { error }
        wake()
      },
    )
  }
  const failed = () => fault
  sources.forEach(ask)
  try {
    while (true) {
      const next = ready.shift()
      if (next !== undefined) {
        if (next.result.done) return
        yield next.result.value
        ask(next.source)
        continue
      }
      const found = failed()
      if (found !== null) throw found.error
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    // Not awaited: see above.
    for (const source of sources) source.return().catch(() => undefined)
  }
}
