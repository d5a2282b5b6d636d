/** Takes a place; the promise is of a function that gives it back. It is rejected when none came free in time. */
export type TakePlace = (key: string) => Promise<() => void>

/** Who holds places of one key, and who waits for one. */
interface Line {
  held: number
  readonly waiting: (() => void)[]
}

/**
 * Places that whoever has the same key shares. Who finds none free waits for one, in line.
 * @param tooLate what is thrown after waiting in vain
 */
export function places(max: number, patienceMs: number, tooLate: () => Error): TakePlace {
  const lines = new Map<string, Line>()
  return async (key) => {
    const line = lines.get(key) ?? { held: 0, waiting: [] }
    lines.set(key, line)
    if (line.held < max) line.held += 1
    else await turnIn(line, patienceMs, tooLate)
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      const next = line.waiting.shift()
      if (next !== undefined) return next()
      line.held -= 1
      if (line.held === 0) lines.delete(key)
    }
  }
}

/** Waits until somebody hands a place on. */
function turnIn({ waiting }: Line, patienceMs: number, tooLate: () => Error): Promise<void> {
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
