import { Skeleton } from '@mantine/core'
import { lazy, type ReactNode, Suspense } from 'react'
import classes from './Charts.module.css'

/** The chart library comes with the first chart, not with the page. */
const Chart = lazy(() => import('./Chart.tsx'))

interface ChartsProps {
  /** What a point stands for. */
  readonly per: string
  /** Epoch seconds. */
  readonly times: readonly number[]
  readonly delivered: readonly number[]
  readonly failed: readonly number[]
  readonly p50: readonly (number | null)[]
  readonly p95: readonly (number | null)[]
}

export function Charts({ per, times, delivered, failed, p50, p95 }: ChartsProps) {
  return (
    <div className={classes.charts}>
      <Frame title={`Deliveries per ${per}`}>
        <Chart
          times={times}
          unit=""
          series={[
            { label: 'Delivered', colour: '--gd-good', values: delivered, isFilled: true },
            { label: 'Failed', colour: '--gd-bad', values: failed },
          ]}
        />
      </Frame>
      <Frame title="Latency in ms">
        <Chart
          times={times}
          unit=" ms"
          series={[
            { label: 'p50', colour: '--gd-accent', values: p50 },
            { label: 'p95', colour: '--gd-warn', values: p95 },
          ]}
        />
      </Frame>
    </div>
  )
}

interface FrameProps {
  readonly title: string
  readonly children: ReactNode
}

function Frame({ title, children }: FrameProps) {
  return (
    <figure className={classes.frame} aria-label={title}>
      <figcaption className={classes.title}>{title}</figcaption>
      <Suspense fallback={<Skeleton height={190} radius="md" />}>{children}</Suspense>
    </figure>
  )
}
