import { lazy, Suspense } from 'react'
import { useWorkspace } from '../viewer/workspace.ts'
import { usePlayground } from './usePlayground.ts'

const VisitorWindow = lazy(() => import('./VisitorWindow.tsx'))

/** A visitor's window over the page, loaded when somebody opens it. */
export function Playground() {
  const { isDevelopment } = useWorkspace()
  const { isOpen } = usePlayground()
  if (!isDevelopment || !isOpen) return null
  return (
    <Suspense fallback={null}>
      <VisitorWindow />
    </Suspense>
  )
}
