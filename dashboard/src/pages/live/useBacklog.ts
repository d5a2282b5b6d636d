import { useEffect } from 'react'
import { useQuery } from 'urql'
import type { BacklogQuery } from '../../generated/documents.ts'
import { Backlog } from './documents.ts'

const READ_MS = 2000

export type DispatchState = NonNullable<BacklogQuery['dispatchState']>

/** What has not been sent yet, read again every two seconds; undefined before it is known. */
export function useBacklog(): DispatchState | undefined {
  const [{ data }, execute] = useQuery({ query: Backlog })
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) execute({ requestPolicy: 'network-only' })
    }, READ_MS)
    return () => clearInterval(timer)
  }, [execute])
  return data?.dispatchState ?? undefined
}
