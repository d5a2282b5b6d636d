import { useNotifications } from '@mantine/notifications'
import { lazy, Suspense } from 'react'

const Shown = lazy(() => import('./ShownToasts.tsx'))

/** What `notifications.show(…)` shows, from anywhere; loaded with the first of them. */
export function Toasts() {
  const { notifications, queue } = useNotifications()
  if (notifications.length === 0 && queue.length === 0) return null
  return (
    <Suspense fallback={null}>
      <Shown />
    </Suspense>
  )
}
