import { Tooltip } from '@mantine/core'
import { useSyncExternalStore } from 'react'
import type { ConnectionState as State } from '../../api/connection.ts'
import { useWorkspace } from '../../viewer/workspace.ts'
import classes from './ConnectionState.module.css'

const WORDS: Record<State, { label: string; explanation: string }> = {
  connecting: { label: 'Connecting', explanation: 'Live updates start in a moment.' },
  live: { label: 'Live', explanation: 'Changes appear as they happen.' },
  reconnecting: {
    label: 'Reconnecting',
    explanation: 'Connection lost. Missed changes load when it is back.',
  },
}

export function useConnectionState(): State {
  const { connection } = useWorkspace().api
  return useSyncExternalStore(connection.subscribe, connection.state)
}

/** A dot and a word: whether the page is live. */
export function ConnectionState() {
  const state = useConnectionState()
  const { label, explanation } = WORDS[state]
  return (
    <Tooltip label={explanation} position="top-start">
      <output className={classes.state} data-state={state}>
        <span className={classes.dot} aria-hidden />
        {label}
      </output>
    </Tooltip>
  )
}
