import { Button } from '@mantine/core'
import { Unplug } from 'lucide-react'
import { EmptyState } from './EmptyState.tsx'

interface UnreachableProps {
  readonly onRetry: () => void
}

/** The whole window, when the server does not answer the first question. */
export function Unreachable({ onRetry }: UnreachableProps) {
  return (
    <main role="alert">
      <EmptyState
        isPage
        icon={Unplug}
        title="Can't reach the server"
        actions={<Button onClick={onRetry}>Try again</Button>}
      >
        Check your connection. If others have the same problem, tell your server administrator.
      </EmptyState>
    </main>
  )
}
