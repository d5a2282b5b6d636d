import { useLocalStorage, useMediaQuery } from '@mantine/hooks'
import { MessagesSquare } from 'lucide-react'
import { lazy, Suspense, useCallback } from 'react'
import { useNavigate, useParams, useSearchParams } from 'react-router'
import { viewOf } from '../../conversations/views.ts'
import { useDocumentTitle } from '../../ui/layout/Page.tsx'
import { EmptyState } from '../../ui/states/EmptyState.tsx'
import { NotFound } from '../../ui/states/NotFound.tsx'
import type { InboxView } from '../../viewer/navigation.ts'
import { useWorkspace } from '../../viewer/workspace.ts'
import classes from './InboxPage.module.css'
import { ConversationList } from './list/ConversationList.tsx'
import { SearchField } from './list/SearchField.tsx'
import { useConversationList } from './list/useConversationList.ts'
import { ConversationPane } from './pane/ConversationPane.tsx'

const GetStarted = lazy(() => import('../../playground/GetStarted.tsx'))

export function InboxPage() {
  const { view: viewId, conversationId } = useParams()
  const view = viewOf(viewId)
  if (view === undefined) return <NotFound />
  return <Inbox view={view} conversationId={conversationId} />
}

interface InboxProps {
  readonly view: InboxView
  readonly conversationId: string | undefined
}

/** The list, the open conversation, and the visitor; on a phone one of them at a time. */
function Inbox({ view, conversationId }: InboxProps) {
  useDocumentTitle(view.label)
  const { path } = useWorkspace()
  const navigate = useNavigate()
  const [params] = useSearchParams()
  const text = params.get('q') ?? ''
  const list = useConversationList(view, text)
  const address = useCallback(
    (id: string | undefined, words: string) =>
      path(`${view.path}${id === undefined ? '' : `/${id}`}`) +
      (words === '' ? '' : `?${new URLSearchParams({ q: words })}`),
    [path, view.path],
  )
  const isWide = useMediaQuery('(width >= 80em)', true, { getInitialValueInEffect: false })
  const [wantsPanel, setWantsPanel] = useLocalStorage({
    key: 'guddesk-visitor-panel',
    defaultValue: true,
    getInitialValueInEffect: false,
  })
  // Where there is no room beside the conversation, the panel lies over it, and only when asked for.
  const [coversPane, setCoversPane] = useLocalStorage({
    key: 'guddesk-visitor-panel-over',
    defaultValue: false,
    getInitialValueInEffect: false,
  })
  const isPanelOpen = isWide ? wantsPanel : coversPane

  const open = useCallback((id: string) => void navigate(address(id, text)), [navigate, address, text])
  const openNext = () => {
    const at = list.rows.findIndex(({ id }) => id === conversationId)
    const next = list.rows[at + 1] ?? list.rows[at - 1]
    if (at !== -1 && next !== undefined) open(next.id)
    else if (at !== -1) void navigate(address(undefined, text))
  }

  return (
    <div
      className={classes.inbox}
      data-open={conversationId !== undefined || undefined}
      data-panel={isPanelOpen || undefined}
    >
      <section className={classes.list} aria-label="Conversations">
        <header className={classes.header}>
          {conversationId === undefined ? (
            <h1 className={classes.title}>{view.label}</h1>
          ) : (
            <h2 className={classes.title}>{view.label}</h2>
          )}
          <SearchField
            key={view.id}
            text={text}
            onSearch={(words) => void navigate(address(conversationId, words), { replace: true })}
          />
        </header>
        <ConversationList
          key={`${view.id} ${text}`}
          text={text}
          view={view}
          list={list}
          selectedId={conversationId}
          onSelect={open}
        />
      </section>
      {conversationId === undefined ? (
        <div className={classes.nothing}>
          <Suspense fallback={null}>
            <GetStarted>
              <EmptyState icon={MessagesSquare} title="No conversation selected">
                Choose one from the list, or press <kbd>J</kbd> to open the first one.
              </EmptyState>
            </GetStarted>
          </Suspense>
        </div>
      ) : (
        <ConversationPane
          id={conversationId}
          isPanelOpen={isPanelOpen}
          onTogglePanel={() => (isWide ? setWantsPanel(!wantsPanel) : setCoversPane(!coversPane))}
          onDone={openNext}
        />
      )}
    </div>
  )
}
