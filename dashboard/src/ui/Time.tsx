import { Tooltip } from '@mantine/core'
import { useSyncExternalStore } from 'react'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** How far the page's clock may be behind: what has just happened must not seem to come. */
const TICK = 15_000

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' })
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' })
const inWords = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })

interface TimeProps {
  /** ISO 8601, as the API gives it. */
  readonly at: string
  /** `short` is for lists: 5m, 3h, 2d, 12 Nov. */
  readonly short?: boolean
  readonly className?: string | undefined
}

/** A relative time that keeps itself up to date, with the exact one on hover and for screen readers. */
export function Time({ at, short = false, className }: TimeProps) {
  const now = useNow()
  const instant = new Date(at)
  // In lists the browser's own tooltip: a thousand rows must not carry a thousand of ours.
  if (short) {
    return (
      <time dateTime={at} className={className} title={exact.format(instant)}>
        {shortly(instant, now)}
      </time>
    )
  }
  return (
    <Tooltip label={exact.format(instant)}>
      <time dateTime={at} className={className}>
        {relative(instant, now)}
      </time>
    </Tooltip>
  )
}

function shortly(at: Date, now: number): string {
  const ago = now - at.getTime()
  if (ago < MINUTE) return 'now'
  if (ago < HOUR) return `${Math.floor(ago / MINUTE)}m`
  if (ago < DAY) return `${Math.floor(ago / HOUR)}h`
  if (ago < 7 * DAY) return `${Math.floor(ago / DAY)}d`
  return dateOf(at, now)
}

/** In words, of the past or the future: 5 minutes ago, in 3 hours, yesterday. */
export function relative(at: Date, now: number): string {
  const ms = at.getTime() - now
  const size = Math.abs(ms)
  if (size < MINUTE) return ms > TICK ? 'in a moment' : 'just now'
  if (size < HOUR) return inWords.format(Math.trunc(ms / MINUTE), 'minute')
  if (size < DAY) return inWords.format(Math.trunc(ms / HOUR), 'hour')
  if (size < 30 * DAY) return inWords.format(Math.trunc(ms / DAY), 'day')
  return dateOf(at, now)
}

function dateOf(at: Date, now: number): string {
  return (at.getFullYear() === new Date(now).getFullYear() ? day : dayOfYear).format(at)
}

/** One timer for every time on the page. */
const listeners = new Set<() => void>()
let current = Date.now()
let timer: ReturnType<typeof setInterval> | undefined

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(() => {
    current = Date.now()
    for (const each of listeners) each()
  }, TICK)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

/** The time, in milliseconds, at most 15 seconds old. */
export function useNow(): number {
  const seen = useSyncExternalStore(subscribe, () => current)
  // The shared clock may stand still while nobody looks at it.
  return Math.max(seen, Math.floor(Date.now() / TICK) * TICK)
}
