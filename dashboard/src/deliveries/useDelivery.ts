import type { CombinedError } from '@urql/core'
import { useEffect } from 'react'
import { useQuery } from 'urql'
import type { DeliveryDetailQuery } from '../generated/documents.ts'
import { DeliveryDetail } from './documents.ts'

/** Its responses are not part of the live feed: they are asked for while more of them may come. */
const LOOK_MS = 1000

export type DeliveryInFull = Extract<NonNullable<DeliveryDetailQuery['node']>, { __typename: 'Delivery' }>

interface FoundDelivery {
  /** null while it is loading, and when it is not there. */
  readonly delivery: DeliveryInFull | null
  readonly isLoading: boolean
  readonly error: CombinedError | undefined
  readonly reload: () => void
}

/** One delivery with all its attempts, kept up to date until it has finished. */
export function useDelivery(id: string): FoundDelivery {
  const [{ data, error, stale }, execute] = useQuery({ query: DeliveryDetail, variables: { id } })
  const delivery = data?.node?.__typename === 'Delivery' ? data.node : null
  const isPending = delivery?.status === 'PENDING'
  useEffect(() => {
    if (!isPending) return
    const timer = setInterval(() => execute({ requestPolicy: 'network-only' }), LOOK_MS)
    return () => clearInterval(timer)
  }, [isPending, execute])
  return {
    delivery,
    isLoading: data === undefined || (delivery === null && stale),
    error: data === undefined ? error : undefined,
    reload: () => execute({ requestPolicy: 'network-only' }),
  }
}
