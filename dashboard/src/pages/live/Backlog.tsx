import { durationText } from '../../ui/duration.ts'
import { Mark } from '../../ui/layout/Mark.tsx'
import classes from './Backlog.module.css'
import { Tile } from './figures/Tile.tsx'
import type { DispatchState } from './useBacklog.ts'

/** For so long a delivery may wait without anybody being behind, in seconds. */
const PATIENCE = 5

interface BacklogProps {
  readonly state: DispatchState | undefined
}

/** What has not been sent yet, and for how long the oldest of it could have been. */
export function BacklogTile({ state }: BacklogProps) {
  return (
    <Tile name="Backlog" note={state === undefined ? 'Loading' : noteOf(state)}>
      {state === undefined ? '–' : state.due.toLocaleString()}
    </Tile>
  )
}

function noteOf({ scheduled, held, oldestDueSeconds }: DispatchState): string {
  const parts = [
    oldestDueSeconds !== null && oldestDueSeconds > 0 && `oldest: ${durationText(oldestDueSeconds)}`,
    scheduled > 0 && `${scheduled.toLocaleString()} waiting for a retry`,
    held > 0 && `${held.toLocaleString()} held`,
  ].filter((part) => part !== false)
  return parts.join(', ') || 'all delivered'
}

/** Whether the dispatcher keeps up. */
export function DispatcherState({ state }: BacklogProps) {
  if (state === undefined) return null
  const isBehind = (state.oldestDueSeconds ?? 0) > PATIENCE
  return (
    <p className={classes.states}>
      <Mark tone={isBehind ? 'warn' : 'good'} label={isBehind ? 'Dispatcher: behind' : 'Dispatcher: up to date'} />
    </p>
  )
}
