import { type RefObject, useEffect, useState } from 'react'

export type CopyState = 'idle' | 'copied' | 'refused'

/** What came of copying, for people. */
export const COPY_SAYS: Record<CopyState, string> = {
  idle: '',
  copied: 'Copied',
  refused: 'Copying is blocked by the browser. The text is selected: copy it manually.',
}

/** Copies a text; where the browser refuses, the element that shows it is selected instead. */
export function useCopy(text: string, shownIn: RefObject<HTMLElement | null>) {
  const [state, setState] = useState<CopyState>('idle')
  useEffect(() => {
    if (state !== 'copied') return
    const timer = setTimeout(() => setState('idle'), 2000)
    return () => clearTimeout(timer)
  }, [state])

  async function copy() {
    try {
      // Without https there is no clipboard at all.
      await navigator.clipboard.writeText(text)
      setState('copied')
    } catch {
      if (shownIn.current !== null) getSelection()?.selectAllChildren(shownIn.current)
      setState('refused')
    }
  }
  return [state, copy] as const
}
