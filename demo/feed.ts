interface Waiter<T> {
  readonly matches: (item: T) => boolean
  readonly resolve: (item: T) => void
  readonly reject: (error: Error) => void
}

/** What has happened so far, and a way to wait for what has not. */
export class Feed<T> {
  readonly items: T[] = []
  #waiters: Waiter<T>[] = []
  #failure: Error | null = null

  push(item: T): void {
    this.items.push(item)
    const served = this.#waiters.filter(({ matches }) => matches(item))
    this.#waiters = this.#waiters.filter((waiter) => !served.includes(waiter))
    for (const { resolve } of served) resolve(item)
  }

  /** Nothing more will come: everybody who waits learns why. */
  fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#waiters) reject(error)
    this.#waiters = []
  }

  /**
   * The first item that matches, past or future.
   * @param what names it, for the error when it has not come in time
   */
  async find(matches: (item: T) => boolean, what: string, timeoutMs = 10_000): Promise<T> {
    const past = this.items.find(matches)
    if (past !== undefined) return past
    if (this.#failure !== null) throw this.#failure
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#waiters.push({ matches, resolve, reject })
    const timer = setTimeout(() => reject(new Error(`${what} did not come within ${timeoutMs / 1000} s`)), timeoutMs)
    return promise.finally(() => clearTimeout(timer))
  }
}
