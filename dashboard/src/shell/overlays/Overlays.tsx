import { useHotkeys } from '@mantine/hooks'
import { lazy, Suspense, useEffect, useState } from 'react'
import { onOverlay, openOverlay } from './overlays.ts'

const CommandPalette = lazy(() => import('./CommandPalette.tsx'))
const ShortcutsHelp = lazy(() => import('./ShortcutsHelp.tsx'))

/** What lies over every page, loaded when somebody first asks for it. */
export function Overlays() {
  const [hasPalette, setPalette] = useState(false)
  const [hasShortcuts, setShortcuts] = useState(false)
  useHotkeys([['mod+K', () => openOverlay('palette')]], [])
  useEffect(() => onOverlay((which) => (which === 'palette' ? setPalette(true) : setShortcuts(true))), [])
  useEffect(() => {
    // By the letter: where it is on the keyboard, and with which keys, differs from country to country.
    const onKey = (event: KeyboardEvent) => {
      if (event.key === '?' && !isWriting(event.target)) openOverlay('shortcuts')
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
  return (
    <Suspense fallback={null}>
      {hasPalette && <CommandPalette />}
      {hasShortcuts && <ShortcutsHelp />}
    </Suspense>
  )
}

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'))
}
