import { useCallback, useEffect, useRef, useState } from 'react'
import { follow } from '../../../api/follow.ts'
import type { EventFeedSubscription, EventType } from '../../../generated/documents.ts'
import { useWorkspace } from '../../../viewer/workspace.ts'
import { EventFeed } from '../documents.ts'

export type LiveEvent = EventFeedSubscription['events']['event']

/** A text in an event's payload; null when it has none of that name. Read there, because links cost a query for each event. */
export function payloadText({ payload }: LiveEvent, name: string): string | null {
  const value: unknown = typeof payload === 'object' && payload !== null ? Reflect.get(payload, name) : null
  return typeof value === 'string' ? value : null
}

/** Of more, the oldest are forgotten: the log has them. */
export const KEPT_EVENTS = 1000
/** What arrives within this is shown together. */
const SHOW_MS = 200

interface EventStream {
  /** The newest first. */
  readonly events: readonly LiveEvent[]
  /** How many came since the page was opened or the filter was changed. */
  readonly count: number
  readonly isPaused: boolean
  readonly pause: () => void
  /** Goes on after the last event that came. */
  readonly resume: () => void
}

/**
 * Events as they happen. While it is paused nothing is sent here; resuming brings what happened meanwhile, by the cursor.
 * @param type null for all
 */
export function useEventStream(type: EventType | null): EventStream {
  const { api } = useWorkspace()
  const [shown, setShown] = useState<{ events: readonly LiveEvent[]; count: number }>({ events: [], count: 0 })
  const [isPaused, setPaused] = useState(false)
  const cursor = useRef<string | null>(null)

  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter is another stream
  useEffect(() => {
    cursor.current = null
    setShown({ events: [], count: 0 })
  }, [api, type])

  useEffect(() => {
    if (isPaused) return
    let arrived: LiveEvent[] = []
    let timer: ReturnType<typeof setTimeout> | undefined
    const show = () => {
      timer = undefined
      const batch = arrived
      arrived = []
      setShown(({ events, count }) => ({
        events: [...batch.slice(-KEPT_EVENTS).reverse(), ...events].slice(0, KEPT_EVENTS),
        count: count + batch.length,
      }))
    }
    const stop = follow(api.stream, EventFeed, {
      variables: { filter: { types: type && [type], includeTests: true } },
      after: cursor.current,
      cursorOf: ({ events }) => events.cursor,
      onUpdate: ({ events }) => {
        cursor.current = events.cursor
        arrived.push(events.event)
        timer ??= setTimeout(show, SHOW_MS)
      },
    })
    return () => {
      stop()
      clearTimeout(timer)
      if (arrived.length > 0) show()
    }
  }, [api, type, isPaused])

  return {
    ...shown,
    isPaused,
    pause: useCallback(() => setPaused(true), []),
    resume: useCallback(() => setPaused(false), []),
  }
}
