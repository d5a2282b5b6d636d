import { type ReactNode, useEffect, useState } from 'react'
import { useQuery } from 'urql'
import { rateText } from '../../../endpoints/health.ts'
import { Failure } from '../../../ui/states/Failure.tsx'
import { DeliveryStats } from '../documents.ts'
import { Charts, LineChart } from './Charts.tsx'
import type { PastRange } from './ranges.ts'
import { SlowestEndpoints } from './SlowestEndpoints.tsx'
import { Tile, Tiles } from './Tile.tsx'

const READ_MS = 30_000

interface PastFiguresProps {
  readonly range: PastRange
  readonly backlog: ReactNode
}

/** The last hour or day, as the server counts it. */
export function PastFigures({ range, backlog }: PastFiguresProps) {
  const now = useReadingTime()
  const from = new Date(now - range.spanMs).toISOString()
  const to = new Date(now).toISOString()
  const variables = { from, to, bucket: range.bucket }
  const [{ data, error }, execute] = useQuery({ query: DeliveryStats, variables, requestPolicy: 'network-only' })
  const buckets = data?.deliveryStats ?? []
  if (data?.deliveryStats == null && error !== undefined) {
    return <Failure error={error} onRetry={() => execute({ requestPolicy: 'network-only' })} />
  }
  const times = buckets.map(({ start }) => Date.parse(start) / 1000)
  const delivered = buckets.reduce((sum, bucket) => sum + bucket.delivered, 0)
  const failed = buckets.reduce((sum, bucket) => sum + bucket.failed, 0)
  const slowest = Math.max(-1, ...buckets.map(({ durationP95Ms }) => durationP95Ms ?? -1))
  return (
    <>
      <Tiles>
        <Tile name="Delivered" note={range.label.toLowerCase()}>
          {data === undefined ? '–' : delivered.toLocaleString()}
        </Tile>
        <Tile name="Success rate" note="finished deliveries">
          {delivered + failed === 0 ? '–' : rateText(delivered / (delivered + failed))}
        </Tile>
        <Tile name="Slowest p95" note={`of the ${range.per}s shown`}>
          {slowest < 0 ? '–' : `${slowest.toLocaleString()} ms`}
        </Tile>
        {backlog}
      </Tiles>
      <Charts
        per={range.per}
        times={times}
        delivered={buckets.map((bucket) => bucket.delivered)}
        failed={buckets.map((bucket) => bucket.failed)}
        p50={buckets.map(({ durationP50Ms }) => durationP50Ms)}
        p95={buckets.map(({ durationP95Ms }) => durationP95Ms)}
      >
        <LineChart
          title={`Backlog, by the ${range.per} of the event`}
          times={times}
          series={[
            {
              label: 'Not finished',
              colour: '--gd-accent',
              values: buckets.map(({ pending }) => pending),
              isFilled: true,
            },
          ]}
        />
        <SlowestEndpoints from={from} to={to} />
      </Charts>
    </>
  )
}

function useReadingTime(): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), READ_MS)
    return () => clearInterval(timer)
  }, [])
  return now
}
