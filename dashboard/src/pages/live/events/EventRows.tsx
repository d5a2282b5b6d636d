import { Badge } from '@mantine/core'
import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowUp } from 'lucide-react'
import { useRef, useState } from 'react'
import { eventName } from '../../../endpoints/eventTypes.ts'
import classes from './EventStream.module.css'
import { type LiveEvent, payloadText } from './useEventStream.ts'

const ROW_PX = 40
const TOP_PX = 8
const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hour12: false,
})

interface EventRowsProps {
  readonly events: readonly LiveEvent[]
  readonly onOpen: (event: LiveEvent) => void
}

/** Only the rows in sight exist. Whoever has scrolled down reads in peace: new ones wait above. */
export function EventRows({ events, onOpen }: EventRowsProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const [held, setHeld] = useState<readonly LiveEvent[] | null>(null)
  const rows = held ?? events
  const newCount = held === null ? 0 : countNew(events, held)
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: 6,
  })
  function onScroll() {
    const isAway = (scroller.current?.scrollTop ?? 0) > TOP_PX
    if (isAway && held === null) setHeld(events)
    if (!isAway && held !== null) setHeld(null)
  }
  return (
    <div className={classes.frame}>
      {newCount > 0 && (
        <button type="button" className={classes.pill} onClick={() => virtualizer.scrollToOffset(0)}>
          <ArrowUp size={14} aria-hidden /> {newCount} new
        </button>
      )}
      <div ref={scroller} className={classes.scroller} onScroll={onScroll}>
        {/* biome-ignore lint/a11y/noRedundantRoles: without bullets, Safari takes the list for none */}
        <ul role="list" className={classes.rows} style={{ height: virtualizer.getTotalSize() }} aria-label="Events">
          {virtualizer.getVirtualItems().map(({ index, key, start }) => {
            const event = rows[index]
            if (event === undefined) return null
            return (
              <li key={key} className={classes.item} style={{ transform: `translateY(${start}px)` }}>
                <button type="button" className={classes.row} onClick={() => onOpen(event)}>
                  <time className={classes.time} dateTime={event.createdAt}>
                    {clock.format(new Date(event.createdAt))}
                  </time>
                  <span className={classes.type}>{eventName(event.type)}</span>
                  <span className={classes.gist}>
                    {event.isTest && (
                      <Badge size="xs" variant="light" color="gray">
                        Test
                      </Badge>
                    )}{' '}
                    {gistOf(event)}
                  </span>
                </button>
              </li>
            )
          })}
        </ul>
      </div>
    </div>
  )
}

function countNew(events: readonly LiveEvent[], held: readonly LiveEvent[]): number {
  const index = events.findIndex(({ id }) => id === held[0]?.id)
  return index === -1 ? events.length : index
}

/** The first words of it: what was said, or whom it is about. */
function gistOf(event: LiveEvent): string {
  for (const name of ['body', 'firstMessage', 'message', 'url', 'assigneeName', 'closedByName']) {
    const value = payloadText(event, name)
    if (value !== null && value !== '') return value.slice(0, 200)
  }
  return payloadText(event, 'conversationId') ?? ''
}
