/** Opens the command palette or the list of shortcuts, from anywhere. They are loaded when they are first wanted. */
export type Overlay = 'palette' | 'shortcuts'

const EVENT = 'guddesk:overlay'

export function openOverlay(which: Overlay): void {
  dispatchEvent(new CustomEvent<Overlay>(EVENT, { detail: which }))
}

/** @returns ends it */
export function onOverlay(listener: (which: Overlay) => void): () => void {
  const hear = (event: Event) => {
    if (event instanceof CustomEvent) listener(event.detail)
  }
  addEventListener(EVENT, hear)
  return () => removeEventListener(EVENT, hear)
}
