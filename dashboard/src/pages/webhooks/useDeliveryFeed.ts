import { useEffect, useRef } from 'react'
import { useClient } from 'urql'
import { follow } from '../../api/follow.ts'
import type { DeliveryFeedSubscription } from '../../generated/documents.ts'
import { DeliveryFeed } from './documents.ts'

type Progress = DeliveryFeedSubscription['deliveries']

interface DeliveryFeedListeners {
  readonly onUpdate?: (progress: Progress) => void
  /** The stream began: what was read before may be out of date. */
  readonly onFresh?: () => void
}

/**
 * Follows deliveries as long as the page is open, so that the cache has their state and their endpoints' health.
 * @param endpointId undefined follows all of the workspace
 */
export function useDeliveryFeed(endpointId: string | undefined, listeners: DeliveryFeedListeners = {}): void {
  const client = useClient()
  const latest = useRef(listeners)
  useEffect(() => {
    latest.current = listeners
  })
  useEffect(
    () =>
      follow(client, DeliveryFeed, {
        variables: endpointId === undefined ? {} : { endpointId },
        // This stream does not resume: whoever shows a list reads it again.
        cursorOf: () => null,
        onUpdate: ({ deliveries }) => latest.current.onUpdate?.(deliveries),
        onFresh: () => latest.current.onFresh?.(),
      }),
    [client, endpointId],
  )
}
