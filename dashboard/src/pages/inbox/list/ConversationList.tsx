import { useHotkeys } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowUp } from 'lucide-react'
import { useCallback, useEffect, useRef } from 'react'
import { Failure } from '../../../ui/states/Failure.tsx'
import { Loading } from '../../../ui/states/Loading.tsx'
import type { InboxView } from '../../../viewer/navigation.ts'
import classes from './ConversationList.module.css'
import { ConversationRow } from './ConversationRow.tsx'
import { EmptyView, NothingFound } from './EmptyView.tsx'
import type { ConversationList as List } from './useConversationList.ts'

/** As in tokens.css, --gd-row-height. */
const ROW_PX = 76
/** Less than this from the top counts as being there. */
const TOP_PX = 8
const LOAD_AHEAD = 15

interface ConversationListProps {
  readonly view: InboxView
  readonly list: List
  /** What is searched for; empty when nothing is. */
  readonly text: string
  readonly selectedId: string | undefined
  readonly onSelect: (id: string) => void
}

export function ConversationList({ view, list, text, selectedId, onSelect }: ConversationListProps) {
  const { rows, newCount, hasMore, isLoading, error, loadMore, see, holdStill, letGo, belongs } = list
  const scroller = useRef<HTMLDivElement>(null)
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: 8,
  })
  const items = virtualizer.getVirtualItems()
  const firstIndex = items[0]?.index ?? 0
  const lastIndex = items.at(-1)?.index ?? 0
  useEffect(() => {
    see(rows.slice(firstIndex, lastIndex + 1).map(({ id }) => id))
  }, [see, rows, firstIndex, lastIndex])
  useEffect(() => {
    if (hasMore && lastIndex >= rows.length - LOAD_AHEAD) loadMore()
  }, [hasMore, lastIndex, rows.length, loadMore])

  const onScroll = useCallback(() => {
    if ((scroller.current?.scrollTop ?? 0) > TOP_PX) holdStill()
    else letGo()
  }, [holdStill, letGo])

  // Keys come faster than pages are drawn: each counts from where the address is by then.
  const move = (step: number) => {
    const at = rows.findIndex(({ id }) => location.pathname.endsWith(id))
    const index = at === -1 ? 0 : at + step
    const next = rows[index]
    if (next === undefined) return
    onSelect(next.id)
    virtualizer.scrollToIndex(index)
  }
  useHotkeys([
    ['j', () => move(1)],
    ['k', () => move(-1)],
  ])

  if (error !== undefined && rows.length === 0) return <Failure error={error} onRetry={list.retry} />
  if (isLoading) {
    return (
      <div className={classes.loading}>
        <Loading lines={9} height={ROW_PX - 16} />
      </div>
    )
  }
  if (rows.length === 0) return text === '' ? <EmptyView view={view} /> : <NothingFound text={text} />
  const search = text === '' ? '' : `?${new URLSearchParams({ q: text })}`
  return (
    <div className={classes.list}>
      {newCount > 0 && (
        <button
          type="button"
          className={classes.pill}
          onClick={() => {
            letGo()
            virtualizer.scrollToOffset(0)
          }}
        >
          <ArrowUp size={14} aria-hidden /> {newCount} new
        </button>
      )}
      <div ref={scroller} className={classes.scroller} onScroll={onScroll}>
        <ul
          // biome-ignore lint/a11y/noRedundantRoles: without bullets, Safari takes the list for none
          role="list"
          className={classes.rows}
          style={{ height: virtualizer.getTotalSize() }}
          aria-label={text === '' ? view.label : `Results for ${text}`}
        >
          {items.map(({ index, key, start }) => {
            const row = rows[index]
            if (row === undefined) return null
            return (
              <li
                key={key}
                className={classes.item}
                style={{ transform: `translateY(${start}px)` }}
                aria-setsize={hasMore ? -1 : rows.length}
                aria-posinset={index + 1}
              >
                <ConversationRow
                  row={row}
                  view={view}
                  search={search}
                  isSelected={row.id === selectedId}
                  hasLeft={!belongs(row)}
                />
              </li>
            )
          })}
        </ul>
      </div>
    </div>
  )
}
