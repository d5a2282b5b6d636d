import { Button } from '@mantine/core'
import { Fragment } from 'react'
import type { Conversation, Message, useConversation } from '../../../../conversations/useConversation.ts'
import type { Outbox } from '../useOutbox.ts'
import { DaySeparator, isSameDay } from './DaySeparator.tsx'
import { MessageBubble } from './MessageBubble.tsx'
import classes from './MessageList.module.css'
import { TypingLine } from './TypingLine.tsx'
import { UnsentBubble } from './UnsentBubble.tsx'
import { useAgentIcons } from './useAgentIcons.ts'
import { useReading } from './useReading.ts'

/** Words of one person within this belong together. */
const TOGETHER_MS = 5 * 60_000

interface MessageListProps {
  readonly conversation: Conversation
  readonly open: ReturnType<typeof useConversation>
  readonly outbox: Outbox
}

/** The messages, oldest first. It stands at the end, and stays there while new ones come. */
export function MessageList({ conversation, open, outbox }: MessageListProps) {
  const { messages, typists, hasEarlier, isLoadingEarlier } = open
  // The live event of one's own message may come before the answer, or instead of one that was lost.
  const arrived = new Set(messages.map(({ clientMessageId }) => clientMessageId))
  const icons = useAgentIcons()
  const readBefore = useReading({
    conversationId: conversation.id,
    lastReadSequence: conversation.lastReadSequence,
    latestSequence: messages.at(-1)?.sequence ?? null,
  })
  // Where one left off; nothing before it means that all of it is new, which needs no line.
  const firstNew = readBefore === 0 ? undefined : messages.find(({ sequence }) => sequence > readBefore)
  return (
    // The reversed box keeps its end in sight and its place when earlier messages are put before it; the order inside is the natural one.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={classes.scroller} tabIndex={0} aria-label="Messages">
      <div className={classes.content}>
        {hasEarlier && (
          <Button
            className={classes.earlier}
            variant="subtle"
            size="compact-sm"
            loading={isLoadingEarlier}
            onClick={() => void open.loadEarlier()}
          >
            Earlier messages
          </Button>
        )}
        <ol className={classes.messages} aria-live="polite" aria-relevant="additions">
          {messages.map((message, i) => {
            const before = messages[i - 1]
            const isNewDay = before === undefined || !isSameDay(before.createdAt, message.createdAt)
            return (
              <Fragment key={message.id}>
                {isNewDay && <DaySeparator at={message.createdAt} />}
                {message === firstNew && <li className={classes.unread}>New</li>}
                <MessageBubble
                  message={message}
                  icon={icons.get(message.sender?.id ?? '') ?? null}
                  isContinued={!isNewDay && before !== undefined && belongTogether(before, message)}
                />
              </Fragment>
            )
          })}
          {outbox.unsent
            .filter(({ id }) => !arrived.has(id))
            .map((unsent) => (
              <UnsentBubble key={unsent.id} unsent={unsent} outbox={outbox} />
            ))}
        </ol>
        <TypingLine typists={typists} />
      </div>
    </section>
  )
}

function belongTogether(before: Message, after: Message): boolean {
  return (
    before.type === after.type &&
    before.sender?.id === after.sender?.id &&
    before.senderName === after.senderName &&
    Date.parse(after.createdAt) - Date.parse(before.createdAt) < TOGETHER_MS
  )
}
