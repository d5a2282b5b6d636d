import { Button, Textarea, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useAction } from '../api/useAction.ts'
import { StartConversation, UpsertVisitor } from './documents.ts'
import classes from './VisitorWindow.module.css'

const NAMES = ['Vera Visitor', 'Sam Shopper', 'Gita Guest', 'Carl Curious', 'Bea Buyer']

interface BeginProps {
  readonly onBegun: (talk: { visitor: string; conversationId: string }) => void
}

/** Who the visitor is, and the first thing they write. */
export function Begin({ onBegun }: BeginProps) {
  const [name, setName] = useState(() => NAMES[Math.floor(Math.random() * NAMES.length)] ?? 'Vera Visitor')
  const [message, setMessage] = useState('')
  const [create, isCreating] = useAction(UpsertVisitor)
  const [start, isStarting] = useAction(StartConversation)

  async function submit(event: FormEvent) {
    event.preventDefault()
    const visitor = name.trim()
    const created = await create({ input: { name: visitor } })
    if (!created.ok) return
    const visitorId = created.payload.visitor.id
    const started = await start({ input: { visitorId, message, channel: 'WIDGET' } })
    if (started.ok) onBegun({ visitor, conversationId: started.payload.conversation.id })
  }

  return (
    <form className={classes.begin} onSubmit={(event) => void submit(event)}>
      <TextInput label="Your name" value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <Textarea
        label="Your message"
        placeholder="Hello! I have a question about my order."
        minRows={3}
        autosize
        autoFocus
        maxLength={10_000}
        value={message}
        onChange={(event) => setMessage(event.currentTarget.value)}
      />
      <Button type="submit" loading={isCreating || isStarting} disabled={name.trim() === '' || message.trim() === ''}>
        Start the conversation
      </Button>
    </form>
  )
}
