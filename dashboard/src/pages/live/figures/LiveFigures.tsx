import { type ReactNode, useEffect, useRef, useState } from 'react'
import { follow } from '../../../api/follow.ts'
import { rateText } from '../../../endpoints/health.ts'
import { useWorkspace } from '../../../viewer/workspace.ts'
import { ProgressFeed } from '../documents.ts'
import { Charts } from './Charts.tsx'
import { type Second, summary, upTo, withProgress } from './history.ts'
import { Tile, Tiles } from './Tile.tsx'

/** Charts move on so often; what comes in between waits. */
const DRAW_MS = 1000

/** The last five minutes, second by second, from when the page was opened. */
export function LiveFigures({ backlog }: { readonly backlog: ReactNode }) {
  const history = useHistory()
  const now = summary(history, 10)
  const minute = summary(history, 60)
  return (
    <>
      <Tiles>
        <Tile name="Deliveries per second" note="over 10 seconds">
          {now.perSecond.toLocaleString(undefined, { maximumFractionDigits: 1 })}
        </Tile>
        <Tile name="Success rate" note="attempts in the last minute">
          {minute.successRate === null ? '–' : rateText(minute.successRate)}
        </Tile>
        <Tile name="Latency, p50 and p95" note="over a minute">
          {minute.p50 === null || minute.p95 === null
            ? '–'
            : `${Math.round(minute.p50).toLocaleString()} / ${Math.round(minute.p95).toLocaleString()} ms`}
        </Tile>
        {backlog}
      </Tiles>
      <Charts
        per="second"
        times={history.map(({ at }) => at)}
        delivered={history.map(({ delivered }) => delivered)}
        failed={history.map(({ failed }) => failed)}
        p50={history.map(({ p50 }) => p50)}
        p95={history.map(({ p95 }) => p95)}
      />
    </>
  )
}

function useHistory(): readonly Second[] {
  const { api } = useWorkspace()
  const gathered = useRef<readonly Second[]>([])
  const [drawn, setDrawn] = useState<readonly Second[]>(() => upTo([], Math.floor(Date.now() / 1000)))
  useEffect(
    () =>
      follow(api.stream, ProgressFeed, {
        variables: {},
        // This stream does not resume.
        cursorOf: () => null,
        onUpdate: ({ deliveries }) => {
          gathered.current = withProgress(gathered.current, deliveries, Date.now())
        },
      }),
    [api],
  )
  useEffect(() => {
    const timer = setInterval(() => {
      gathered.current = upTo(gathered.current, Math.floor(Date.now() / 1000))
      if (!document.hidden) setDrawn(gathered.current)
    }, DRAW_MS)
    return () => clearInterval(timer)
  }, [])
  return drawn
}
