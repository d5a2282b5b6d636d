/**
 * Acquires a slot until the callback of `onRelease` is called. Rejects when no slot becomes free in time, and when the
 * request ends before.
 */
export type AcquireSlot = (key: string, onRelease: (release: () => void) => void) => Promise<void>

/** The holders of a key's slots, and the queue for them. */
interface KeySlots {
  held: number
  readonly waiting: (() => void)[]
}

/**
 * Slots by key. When all of a key's slots are in use, the next one waits in a queue.
 * @param tooLate the error after waiting too long
 */
export function concurrencyLimit(max: number, patienceMs: number, tooLate: () => Error): AcquireSlot {
  const byKey = new Map<string, KeySlots>()
  return async (key, onRelease) => {
    const slots = byKey.get(key) ?? { held: 0, waiting: [] }
    byKey.set(key, slots)
    if (slots.held < max) slots.held += 1
    else await waitForSlot(slots, patienceMs, tooLate)
    let isHeld = true
    onRelease(() => {
      if (!isHeld) return
      isHeld = false
      const next = slots.waiting.shift()
      if (next !== undefined) return next()
      slots.held -= 1
      if (slots.held === 0) byKey.delete(key)
    })
    if (!isHeld) throw tooLate()
  }
}

/** Waits until a slot is passed on. */
function waitForSlot({ waiting }: KeySlots, patienceMs: number, tooLate: () => Error): Promise<void> {
  return new Promise((resolve, reject) => {
    const begin = () => {
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(() => {
      waiting.splice(waiting.indexOf(begin), 1)
      reject(tooLate())
    }, patienceMs)
    waiting.push(begin)
  })
}
