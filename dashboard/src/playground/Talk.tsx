import { ActionIcon, TextInput } from '@mantine/core'
import { SendHorizontal } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { useAction } from '../api/useAction.ts'
import { SendMessage } from '../conversations/documents.ts'
import { useConversation } from '../conversations/useConversation.ts'
import classes from './VisitorWindow.module.css'

interface TalkProps {
  readonly conversationId: string
  readonly visitor: string
}

/** The conversation as its visitor sees it: without notes, and with themselves at the right. */
export function Talk({ conversationId, visitor }: TalkProps) {
  const { messages, typists } = useConversation(conversationId)
  const [text, setText] = useState('')
  const [run, isSending] = useAction(SendMessage)

  async function submit(event: FormEvent) {
    event.preventDefault()
    const body = text.trim()
    if (body === '' || isSending) return
    const outcome = await run({ input: { conversationId, type: 'VISITOR', body } })
    if (outcome.ok) setText('')
  }

  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div className={classes.scroller} tabIndex={0} role="log" aria-label={`What ${visitor} sees`}>
        <ol className={classes.messages}>
          {messages
            .filter(({ type }) => type !== 'NOTE' && type !== 'SYSTEM')
            .map(({ id, type, body, senderName }) => (
              <li key={id} className={classes.message} data-own={type === 'VISITOR' || undefined}>
                {type !== 'VISITOR' && <span className={classes.sender}>{senderName ?? 'Team'}</span>}
                {body}
              </li>
            ))}
        </ol>
      </div>
      <output className={classes.typing}>{typists[0] !== undefined && `${typists[0].name} is typing`}</output>
      <form className={classes.form} onSubmit={(event) => void submit(event)}>
        <TextInput
          aria-label={`Write as ${visitor}`}
          placeholder="Write a message"
          maxLength={10_000}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <ActionIcon
          type="submit"
          size="lg"
          aria-label="Send as the visitor"
          disabled={text.trim() === ''}
          loading={isSending}
        >
          <SendHorizontal size={16} aria-hidden />
        </ActionIcon>
      </form>
    </>
  )
}
