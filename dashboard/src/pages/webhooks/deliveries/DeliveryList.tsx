import { Button } from '@mantine/core'
import { ArrowUp, Inbox, SearchX } from 'lucide-react'
import { useCallback, useEffect, useRef, useState } from 'react'
import { useQuery } from 'urql'
import { DeliveryPage } from '../../../deliveries/documents.ts'
import { useDeliveryFeed } from '../../../deliveries/useDeliveryFeed.ts'
import type { DeliveryFilter, DeliveryRowFragment, EndpointFieldsFragment } from '../../../generated/documents.ts'
import { EmptyState } from '../../../ui/states/EmptyState.tsx'
import { Failure } from '../../../ui/states/Failure.tsx'
import { Loading } from '../../../ui/states/Loading.tsx'
import { DeliveryHead, DeliveryItem } from './DeliveryItem.tsx'
import classes from './DeliveryList.module.css'

const PAGE_SIZE = 25
/** However much is sent, the list is read again this often at most. */
const READ_MS = 1000

interface DeliveryListProps {
  readonly endpoint: EndpointFieldsFragment
  readonly filter: DeliveryFilter
  readonly isFiltered: boolean
  readonly selectedId: string | undefined
  readonly onEmpty: (isEmpty: boolean) => void
}

/**
 * The newest deliveries, live; older ones when asked for. While older ones are shown the list stands still, and a button
 * tells of new ones: otherwise pages would shift under the reader.
 */
export function DeliveryList({ endpoint, filter, isFiltered, selectedId, onEmpty }: DeliveryListProps) {
  const [older, setOlder] = useState<readonly string[]>([])
  const [hasNewer, setNewer] = useState(false)
  const variables = { filter, first: PAGE_SIZE, after: null }
  const [{ data, error }, execute] = useQuery({ query: DeliveryPage, variables })
  const read = useCallback(() => execute({ requestPolicy: 'network-only' }), [execute])
  const readSoon = useAtMostEvery(READ_MS, read)
  const isStill = older.length > 0
  useDeliveryFeed(endpoint.id, {
    onFresh: readSoon,
    onUpdate: ({ created, delivered, retrying, failed, skipped }) => {
      if (created + delivered + retrying + failed + skipped === 0) return
      if (isStill) setNewer(created > 0 || hasNewer)
      else readSoon()
    },
  })
  const page = data?.deliveries ?? null
  const rows = page?.edges ?? []
  const isEmpty = page !== null && rows.length === 0
  useEffect(() => onEmpty(isEmpty), [isEmpty, onEmpty])

  if (page === null) {
    return error === undefined ? <Loading lines={8} height={40} /> : <Failure error={error} onRetry={read} />
  }
  if (isEmpty) {
    return isFiltered ? (
      <EmptyState icon={SearchX} title="No matching deliveries">
        Choose another status, event or date. Deliveries are kept for 30 days.
      </EmptyState>
    ) : (
      <EmptyState icon={Inbox} title="No deliveries yet">
        A delivery appears here for each event that this endpoint subscribes to. To see one now, send a test event.
      </EmptyState>
    )
  }
  const { hasNextPage, endCursor } = page.pageInfo
  return (
    <div>
      {isStill && hasNewer && (
        <Button
          fullWidth
          size="xs"
          variant="light"
          mb="xs"
          leftSection={<ArrowUp size={14} aria-hidden />}
          onClick={() => {
            setOlder([])
            setNewer(false)
            read()
          }}
        >
          Show new deliveries
        </Button>
      )}
      <div className={classes.frame}>
        <DeliveryHead />
        <ul className={classes.list} aria-label="Deliveries">
          {rows.map(({ node }) => (
            <DeliveryItem key={node.id} delivery={node} isSelected={node.id === selectedId} />
          ))}
          {older.map((after) => (
            <OlderPage
              key={after}
              filter={filter}
              after={after}
              selectedId={selectedId}
              isLast={after === older.at(-1)}
              onMore={(cursor) => setOlder((now) => [...now, cursor])}
            />
          ))}
        </ul>
      </div>
      {!isStill && hasNextPage && (
        <Button fullWidth variant="subtle" mt="xs" onClick={() => setOlder([endCursor ?? ''])}>
          Show older
        </Button>
      )}
    </div>
  )
}

interface OlderPageProps {
  readonly filter: DeliveryFilter
  readonly after: string
  readonly selectedId: string | undefined
  readonly isLast: boolean
  readonly onMore: (cursor: string) => void
}

function OlderPage({ filter, after, selectedId, isLast, onMore }: OlderPageProps) {
  const [{ data, error }, execute] = useQuery({ query: DeliveryPage, variables: { filter, first: PAGE_SIZE, after } })
  if (data?.deliveries == null) {
    return (
      <li className={classes.more}>
        {error === undefined ? (
          <Loading lines={3} height={40} />
        ) : (
          <Failure error={error} onRetry={() => execute({ requestPolicy: 'network-only' })} />
        )}
      </li>
    )
  }
  const { edges, pageInfo } = data.deliveries
  return (
    <>
      {edges.map(({ node }: { node: DeliveryRowFragment }) => (
        <DeliveryItem key={node.id} delivery={node} isSelected={node.id === selectedId} />
      ))}
      {isLast && pageInfo.hasNextPage && (
        <li className={classes.more}>
          <Button fullWidth variant="subtle" onClick={() => onMore(pageInfo.endCursor ?? '')}>
            Show older
          </Button>
        </li>
      )}
    </>
  )
}

/** Calls at once, and what comes within the time after it together at its end. */
function useAtMostEvery(ms: number, call: () => void): () => void {
  const latest = useRef(call)
  useEffect(() => {
    latest.current = call
  })
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const isWanted = useRef(false)
  useEffect(() => () => clearTimeout(timer.current), [])
  return useCallback(() => {
    if (timer.current !== undefined) {
      isWanted.current = true
      return
    }
    const run = () => {
      isWanted.current = false
      latest.current()
      timer.current = setTimeout(() => {
        timer.current = undefined
        if (isWanted.current) run()
      }, ms)
    }
    run()
  }, [ms])
}
