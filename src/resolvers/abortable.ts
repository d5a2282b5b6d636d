import type { Context } from '../schema/context.ts'

/**
 * A subscription's iterator whose `return` aborts first: a generator that waits for its next value would otherwise hear
 * of the client's leaving only after that value. A revoked credential aborts it with the reason.
 * @param start may refuse: then the subscription does not begin
 */
export async function abortable<T>(
  { whenRevoked, gone }: Pick<Context, 'whenRevoked' | 'gone'>,
  start: (signal: AbortSignal) => AsyncGenerator<T, void, undefined> | Promise<AsyncGenerator<T, void, undefined>>,
): Promise<AsyncIterableIterator<T>> {
  const controller = new AbortController()
  const unwatch = whenRevoked((error) => controller.abort(error))
  let source: AsyncGenerator<T, void, undefined>
  try {
    source = await start(controller.signal)
  } catch (error) {
    unwatch()
    throw error
  }
  const watched = untilEnd(source, unwatch)
  const iterator: AsyncIterableIterator<T> = {
    next: () => watched.next(),
    return: () => {
      unwatch()
      controller.abort()
      return watched.return()
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  // Yoga forgets the iterator of a client that left before the stream began.
  const leave = () => void iterator.return?.().catch(() => undefined)
  if (gone?.aborted) leave()
  else gone?.addEventListener('abort', leave, { once: true })
  return iterator
}

async function* untilEnd<T>(
  source: AsyncGenerator<T, void, undefined>,
  ended: () => void,
): AsyncGenerator<T, void, undefined> {
  try {
    yield* source
  } finally {
    ended()
  }
}
