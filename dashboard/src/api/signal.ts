/** Something that happens, for whoever listens. */
export interface Signal {
  /** @returns ends it */
  readonly listen: (listener: () => void) => () => void
  readonly send: () => void
}

export function openSignal(): Signal {
  const listeners = new Set<() => void>()
  return {
    listen: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    send: () => {
      for (const listener of listeners) listener()
    },
  }
}
