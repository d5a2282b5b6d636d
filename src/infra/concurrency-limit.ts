/**
 * Acquires a slot until what `onRelease` was given is called. The promise is rejected when none came free in time, and when it
 * was over before one did.
 */
export type AcquireSlot = (key: string, onRelease: (release: () => void) => void) => Promise<void>

/** Who holds slots of one key, and who waits for one. */
interface KeySlots {
  held: number
  readonly waiting: (() => void)[]
}

/**
 * Slots that whoever has the same key shares. Who finds none free waits for one, in line.
 * @param tooLate what is thrown after waiting in vain
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

/** Waits until somebody hands a slot on. */
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
