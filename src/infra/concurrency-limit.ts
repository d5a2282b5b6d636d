/**
 * Takes a place until what `whenOver` was given is called. The promise is rejected when none came free in time, and when it
 * was over before one did.
 */
export type AcquireSlot = (key: string, whenOver: (giveBack: () => void) => void) => Promise<void>

/** Who holds places of one key, and who waits for one. */
interface KeySlots {
  held: number
  readonly waiting: (() => void)[]
}

/**
 * Places that whoever has the same key shares. Who finds none free waits for one, in line.
 * @param tooLate what is thrown after waiting in vain
 */
export function concurrencyLimit(max: number, patienceMs: number, tooLate: () => Error): AcquireSlot {
  const lines = new Map<string, KeySlots>()
  return async (key, whenOver) => {
    const line = lines.get(key) ?? { held: 0, waiting: [] }
    lines.set(key, line)
    if (line.held < max) line.held += 1
    else await waitForSlot(line, patienceMs, tooLate)
    let isHeld = true
    whenOver(() => {
      if (!isHeld) return
      isHeld = false
      const next = line.waiting.shift()
      if (next !== undefined) return next()
      line.held -= 1
      if (line.held === 0) lines.delete(key)
    })
    if (!isHeld) throw tooLate()
  }
}

/** Waits until somebody hands a place on. */
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
