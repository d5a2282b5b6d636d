import { Bot, StickyNote } from 'lucide-react'
import { memo } from 'react'
import type { Message } from '../../../../conversations/useConversation.ts'
import { Face } from '../../../../ui/Face.tsx'
import { Time } from '../../../../ui/Time.tsx'
import { isAgent } from '../../../../viewer/actor.ts'
import classes from './MessageBubble.module.css'

interface MessageBubbleProps {
  readonly message: Message
  /** The agent's picture; null for the common one. */
  readonly icon: string | null
  /** The same person goes on: no name and face again. */
  readonly isContinued: boolean
}

/** One message: of the visitor at the left; of the team, agents among it, at the right; notes and system messages across. */
export const MessageBubble = memo(function MessageBubble({ message, icon, isContinued }: MessageBubbleProps) {
  const { type, body, sender, createdAt } = message
  if (type === 'SYSTEM') {
    return (
      <li className={classes.system}>
        {body} · <Time at={createdAt} short />
      </li>
    )
  }
  const isBot = type === 'BOT' || isAgent(sender)
  const name = message.senderName ?? sender?.displayName ?? 'Team'
  return (
    <li
      className={classes.message}
      data-type={type}
      data-agent={isBot || undefined}
      data-continued={isContinued || undefined}
    >
      <span className={classes.face}>
        {!isContinued && isBot && icon !== null && <Face name={name} imageUrl={icon} size={28} isAgent />}
        {!isContinued && isBot && icon === null && (
          <span className={classes.bot} aria-hidden>
            <Bot size={16} />
          </span>
        )}
        {!isContinued && !isBot && <Face name={name} size={28} />}
      </span>
      <div className={classes.column}>
        <p className={isContinued ? 'visually-hidden' : classes.meta}>
          {type === 'NOTE' && <StickyNote size={12} aria-hidden />}
          <span className={classes.name}>{name}</span>
          {isBot && <span className={classes.kind}>AI agent</span>}
          {type === 'NOTE' && <span className={classes.kind}>Note for the team</span>}
          <Time at={createdAt} short />
        </p>
        <div className={classes.body}>{body}</div>
      </div>
    </li>
  )
})
