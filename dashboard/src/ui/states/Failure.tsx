import { Button } from '@mantine/core'
import type { CombinedError } from '@urql/core'
import { TriangleAlert } from 'lucide-react'
import { sentence } from '../../api/useAction.ts'
import { EmptyState } from './EmptyState.tsx'

interface FailureProps {
  readonly error: CombinedError
  readonly onRetry: () => void
}

/** What stands where a query failed: why, and a button that tries again. */
export function Failure({ error, onRetry }: FailureProps) {
  return (
    <div role="alert">
      <EmptyState
        icon={TriangleAlert}
        title="Couldn't load this"
        actions={<Button onClick={onRetry}>Try again</Button>}
      >
        {sentence(error)}
      </EmptyState>
    </div>
  )
}
