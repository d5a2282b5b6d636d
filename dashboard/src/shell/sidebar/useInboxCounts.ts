import { useQuery } from 'urql'
import { InboxCounts } from '../../conversations/documents.ts'
import type { InboxCountsQuery } from '../../generated/documents.ts'

/** How many conversations wait in each view; undefined before they were counted. The inbox feed keeps them true. */
export function useInboxCounts(): InboxCountsQuery['inboxCounts'] | undefined {
  const [{ data }] = useQuery({ query: InboxCounts, requestPolicy: 'cache-first' })
  return data?.inboxCounts
}
