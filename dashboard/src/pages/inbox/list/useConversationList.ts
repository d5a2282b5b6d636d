import { useCallback, useMemo, useState, useSyncExternalStore } from 'react'
import { filterOf, type Row } from '../../../conversations/views.ts'
import type { InboxView } from '../../../viewer/navigation.ts'
import { useWorkspace } from '../../../viewer/workspace.ts'
import { type Arranged, arrange, type Held, hold } from './arrange.ts'
import { ConversationPages, type Snapshot } from './ConversationPages.ts'

export interface ConversationList extends Arranged, Omit<Snapshot, 'rows' | 'left'> {
  readonly loadMore: () => void
  readonly retry: () => void
  /** Says which rows are in sight. */
  readonly see: (ids: readonly string[]) => void
  /** Holds the order while somebody looks further down. */
  readonly holdStill: () => void
  /** Shows the list as it is now. */
  readonly letGo: () => void
  readonly belongs: (row: Row) => boolean
}

/**
 * One view of the inbox, live.
 * @param text when it is not empty, everything that has these words is shown instead
 */
export function useConversationList(view: InboxView, text: string): ConversationList {
  const { api, inbox } = useWorkspace()
  const filter = useMemo(() => (text === '' ? filterOf(view) : { text }), [view, text])
  const pages = useMemo(() => new ConversationPages(api, inbox, filter), [api, inbox, filter])
  const { rows, left, ...state } = useSyncExternalStore(pages.subscribe, pages.snapshot)
  const [held, setHeld] = useState<{ pages: ConversationPages; order: Held } | null>(null)
  const belongs = useCallback((row: Row) => !left.has(row.id), [left])
  // An order that was held in another view says nothing here.
  const order = held?.pages === pages ? held.order : null
  const arranged = useMemo(() => arrange(rows, order, belongs), [rows, order, belongs])
  const shown = arranged.rows
  return {
    ...state,
    ...arranged,
    belongs,
    loadMore: pages.loadMore,
    retry: pages.retry,
    see: pages.see,
    holdStill: useCallback(
      () => setHeld((now) => (now?.pages === pages ? now : { pages, order: hold(shown) })),
      [pages, shown],
    ),
    letGo: useCallback(() => setHeld(null), []),
  }
}
