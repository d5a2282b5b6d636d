import { MessageCircleOff } from 'lucide-react'
import { useConversation } from '../../../conversations/useConversation.ts'
import { useDocumentTitle } from '../../../ui/layout/Page.tsx'
import { EmptyState } from '../../../ui/states/EmptyState.tsx'
import { Failure } from '../../../ui/states/Failure.tsx'
import { Loading } from '../../../ui/states/Loading.tsx'
import { VisitorPanel } from '../visitor/VisitorPanel.tsx'
import classes from './ConversationPane.module.css'
import { Composer } from './composer/Composer.tsx'
import { PaneHeader } from './header/PaneHeader.tsx'
import { MessageList } from './messages/MessageList.tsx'
import { useOutbox } from './useOutbox.ts'

interface ConversationPaneProps {
  readonly id: string
  readonly isPanelOpen: boolean
  readonly onTogglePanel: () => void
  /** The conversation was closed or snoozed here: on to the next one. */
  readonly onDone: () => void
}

export function ConversationPane({ id, isPanelOpen, onTogglePanel, onDone }: ConversationPaneProps) {
  const open = useConversation(id)
  const outbox = useOutbox(id)
  const { conversation } = open
  const name = conversation === null ? 'Conversation' : conversation.visitor.displayName
  useDocumentTitle(name)

  if (conversation === null) {
    return (
      <section className={classes.pane} aria-label="Conversation">
        {open.isLoading && (
          <div className={classes.loading}>
            <Loading lines={6} height={56} />
          </div>
        )}
        {!open.isLoading && open.error !== undefined && (
          <Failure error={open.error} onRetry={() => open.reload({ requestPolicy: 'network-only' })} />
        )}
        {!open.isLoading && open.error === undefined && (
          <EmptyState isPage icon={MessageCircleOff} title="Conversation not found">
            It may have been deleted, or belongs to another workspace.
          </EmptyState>
        )}
      </section>
    )
  }
  return (
    <>
      <section className={classes.pane} aria-label={`Conversation with ${name}`}>
        <PaneHeader
          conversation={conversation}
          isPanelOpen={isPanelOpen}
          onTogglePanel={onTogglePanel}
          onDone={onDone}
        />
        <MessageList key={id} conversation={conversation} open={open} outbox={outbox} />
        <Composer key={`composer ${id}`} conversationId={id} visitor={name} onSend={outbox.send} />
      </section>
      {isPanelOpen && <VisitorPanel conversation={conversation} onClose={onTogglePanel} />}
    </>
  )
}
