import { useEffect } from 'react'
import { useQuery } from 'urql'
import { Backlog } from './documents.ts'
import { Tile } from './Tile.tsx'

const READ_MS = 2000

/** What has not been sent yet, and for how long the oldest of it could have been. */
export function BacklogTile() {
  const [{ data }, execute] = useQuery({ query: Backlog })
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) execute({ requestPolicy: 'network-only' })
    }, READ_MS)
    return () => clearInterval(timer)
  }, [execute])
  const state = data?.dispatchState
  return (
    <Tile name="Backlog" note={state === undefined ? 'Loading' : noteOf(state)}>
      {state === undefined ? '–' : state.due.toLocaleString()}
    </Tile>
  )
}

interface State {
  readonly scheduled: number
  readonly held: number
  readonly oldestDueSeconds: number | null
  readonly isBusConnected: boolean
}

function noteOf({ scheduled, held, oldestDueSeconds, isBusConnected }: State): string {
  const parts = [
    oldestDueSeconds !== null && oldestDueSeconds > 0 && `the oldest for ${oldestDueSeconds.toLocaleString()} s`,
    scheduled > 0 && `${scheduled.toLocaleString()} wait for a retry`,
    held > 0 && `${held.toLocaleString()} held`,
    !isBusConnected && 'nodes do not hear each other',
  ].filter((part) => part !== false)
  return parts.join(', ') || 'everything is sent'
}
