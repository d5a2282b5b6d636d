interface Waiter<T> {
  readonly matches: (item: T) => boolean
  readonly resolve: (item: T) => void
  readonly reject: (error: Error) => void
}

/** Items in the order of their arrival; `find` also waits for items that have not arrived yet. */
export class Journal<T> {
  readonly items: T[] = []
  #waiters: Waiter<T>[] = []
  #failure: Error | null = null

  push(item: T): void {
    this.items.push(item)
    const served = this.#waiters.filter(({ matches }) => matches(item))
    this.#waiters = this.#waiters.filter((waiter) => !served.includes(waiter))
    for (const { resolve } of served) resolve(item)
  }

  /** No more items will arrive: all waiting callers get the error. */
  fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#waiters) reject(error)
    this.#waiters = []
  }

  /**
   * The first item that matches, past or future.
   * @param what the name of the item, for the error after the timeout
   */
  async find(matches: (item: T) => boolean, what: string, timeoutMs = 10_000): Promise<T> {
    const past = this.items.find(matches)
    if (past !== undefined) return past
    if (this.#failure !== null) throw this.#failure
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#waiters.push({ matches, resolve, reject })
    const timer = setTimeout(() => reject(new Error(`${what} did not arrive within ${timeoutMs / 1000} s`)), timeoutMs)
    return promise.finally(() => clearTimeout(timer))
  }
}
