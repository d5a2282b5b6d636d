import { useComputedColorScheme } from '@mantine/core'
import { type CSSProperties, useEffect, useRef, useState } from 'react'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import classes from './Charts.module.css'

export interface Series {
  readonly label: string
  /** A variable of theme/tokens.css. */
  readonly colour: `--gd-${string}`
  readonly values: readonly (number | null)[]
  readonly isFilled?: boolean
}

interface ChartProps {
  /** Epoch seconds. */
  readonly times: readonly number[]
  readonly series: readonly Series[]
  /** After figures in the legend. */
  readonly unit: string
}

const HEIGHT = 152

/** Lines over time on a canvas; what they are now stands above them as text, and what they were where the pointer is. */
export default function Chart({ times, series, unit }: ChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot | null>(null)
  const [pointed, setPointed] = useState<number | null>(null)
  const scheme = useComputedColorScheme()
  const look = JSON.stringify(series.map(({ label, colour, isFilled }) => ({ label, colour, isFilled })))
  const data = [times, ...series.map(({ values }) => values)] as UPlot.AlignedData
  const latest = useRef(data)
  useEffect(() => {
    latest.current = data
    plot.current?.setData(data)
  })

  // biome-ignore lint/correctness/useExhaustiveDependencies: another scheme has other colours
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const width = () => Math.max(1, element.clientWidth)
    const made = new UPlot(optionsOf(element, JSON.parse(look), width(), setPointed), latest.current, element)
    plot.current = made
    const watching = new ResizeObserver(() => made.setSize({ width: width(), height: HEIGHT }))
    watching.observe(element)
    return () => {
      watching.disconnect()
      plot.current = null
      made.destroy()
    }
  }, [look, scheme])

  return (
    <>
      <ul className={classes.legend}>
        {series.map(({ label, colour, values }) => {
          const value = pointed === null ? values.findLast((each) => each !== null) : values[pointed]
          return (
            <li key={label} style={{ '--series': `var(${colour})` } as CSSProperties}>
              {label} {value == null ? '–' : `${Math.round(value).toLocaleString()}${unit}`}
            </li>
          )
        })}
      </ul>
      <div ref={box} className={classes.plot} aria-hidden />
    </>
  )
}

type Look = Pick<Series, 'label' | 'colour' | 'isFilled'>

function optionsOf(
  element: HTMLElement,
  series: readonly Look[],
  width: number,
  onPoint: (index: number | null) => void,
): UPlot.Options {
  const style = getComputedStyle(element)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const grid = { stroke: colour('--gd-border'), width: 1 }
  const axis: UPlot.Axis = {
    stroke: colour('--gd-text-dim'),
    grid,
    ticks: grid,
    font: `11px ${style.fontFamily}`,
  }
  return {
    width,
    height: HEIGHT,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, (max ?? 0) * 1.1)] } },
    axes: [
      { ...axis, space: 70 },
      { ...axis, size: 44 },
    ],
    series: [
      {},
      ...series.map(({ label, colour: name, isFilled }) => ({
        label,
        stroke: colour(name),
        width: 1.5,
        // The library draws points where a line has too few of them to be seen.
        points: { size: 5, fill: colour(name) },
        // A second without attempts has no latency: the line goes on to the next that has.
        spanGaps: true,
        ...(isFilled && { fill: `color-mix(in srgb, ${colour(name)} 12%, transparent)` }),
      })),
    ],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
  }
}
