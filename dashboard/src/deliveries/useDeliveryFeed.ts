import { useEffect, useRef } from 'react'
import { useClient } from 'urql'
import { follow } from '../api/follow.ts'
import type { DeliveryFeedSubscription } from '../generated/documents.ts'
import { DeliveryFeed } from './documents.ts'

type Progress = DeliveryFeedSubscription['deliveries']

interface DeliveryFeedListeners {
  readonly onUpdate?: (progress: Progress) => void
  /** The stream began: what was read before may be out of date. */
  readonly onFresh?: () => void
  /** Endpoints' health may be another than when they were read, and is written by now. */
  readonly onHealth?: () => void
}

/** A success is written into its endpoint's row within a second after it was told of. */
const WRITTEN_MS = 1500

/**
 * Follows deliveries as long as the page is open, so that the cache has their state.
 * @param endpointId undefined follows all of the workspace
 */
export function useDeliveryFeed(endpointId: string | undefined, listeners: DeliveryFeedListeners = {}): void {
  const client = useClient()
  const latest = useRef(listeners)
  useEffect(() => {
    latest.current = listeners
  })
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const stop = follow(client, DeliveryFeed, {
      variables: endpointId === undefined ? {} : { filter: { endpointId } },
      // This stream does not resume: whoever shows a list reads it again.
      cursorOf: () => null,
      onUpdate: ({ deliveries }) => {
        latest.current.onUpdate?.(deliveries)
        timer ??= setTimeout(() => {
          timer = undefined
          latest.current.onHealth?.()
        }, WRITTEN_MS)
      },
      onFresh: () => {
        latest.current.onFresh?.()
        latest.current.onHealth?.()
      },
    })
    return () => {
      clearTimeout(timer)
      stop()
    }
  }, [client, endpointId])
}
