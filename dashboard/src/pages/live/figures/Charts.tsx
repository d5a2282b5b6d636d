import { Skeleton } from '@mantine/core'
import { lazy, type ReactNode, Suspense } from 'react'
import type { Series } from './Chart.tsx'
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
  /** Frames of the same size, after these two. */
  readonly children?: ReactNode
}

export function Charts({ per, times, delivered, failed, p50, p95, children }: ChartsProps) {
  return (
    <div className={classes.charts}>
      <LineChart
        title={`Deliveries per ${per}`}
        times={times}
        series={[
          { label: 'Delivered', colour: '--gd-good', values: delivered, isFilled: true },
          { label: 'Failed', colour: '--gd-bad', values: failed },
        ]}
      />
      <LineChart
        title="Latency in ms"
        times={times}
        unit=" ms"
        series={[
          { label: 'p50', colour: '--gd-accent', values: p50 },
          { label: 'p95', colour: '--gd-warn', values: p95 },
        ]}
      />
      {children}
    </div>
  )
}

interface LineChartProps {
  readonly title: string
  /** Epoch seconds. */
  readonly times: readonly number[]
  readonly series: readonly Series[]
  /** After figures in the legend. */
  readonly unit?: string
}

export function LineChart({ title, times, series, unit = '' }: LineChartProps) {
  return (
    <Frame title={title}>
      <Suspense fallback={<Skeleton height={190} radius="md" />}>
        <Chart times={times} series={series} unit={unit} />
      </Suspense>
    </Frame>
  )
}

interface FrameProps {
  readonly title: string
  readonly children: ReactNode
}

export function Frame({ title, children }: FrameProps) {
  return (
    <figure className={classes.frame} aria-label={title}>
      <figcaption className={classes.title}>{title}</figcaption>
      {children}
    </figure>
  )
}
