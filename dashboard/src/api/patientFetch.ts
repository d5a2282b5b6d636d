/** Longer than this nobody should wait without doing anything: the refusal is shown instead. */
const LONGEST_WAIT_S = 90

/**
 * fetch for GraphQL that comes again by itself when the server says that it was asked too often, after the time that it
 * names. Nothing of such a request has run, so a mutation may be sent again, too.
 * @param onWait how many seconds it will take
 */
export function patientFetch(onWait: (seconds: number) => void): typeof fetch {
  return async (input, init) => {
    for (;;) {
      const response = await fetch(input, init)
      const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
      if (response.status !== 429 || !(seconds > 0 && seconds <= LONGEST_WAIT_S)) return response
      await response.body?.cancel()
      onWait(seconds)
      await wait(seconds * 1000, init?.signal)
    }
  }
}

function wait(ms: number, signal: AbortSignal | null | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, ms)
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}
