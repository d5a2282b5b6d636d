import { type FormEvent, useState } from 'react'
import { createRoot } from 'react-dom/client'
import type { ConversationFilter } from './gql/graphql.ts'
import { useInbox } from './useInbox.ts'
import { type Draft, useOutbox } from './useOutbox.ts'
import { useThread } from './useThread.ts'

const OPEN: ConversationFilter = { statuses: ['OPEN'] }

function App() {
  const rows = useInbox(OPEN)
  const { drafts, send } = useOutbox()
  const [chosen, choose] = useState<string | null>(null)
  return (
    <main>
      <nav aria-label="Conversations">
        {rows.map(({ id, subject, visitor, assignee, lastMessagePreview }) => (
          <button key={id} type="button" aria-current={id === chosen} onClick={() => choose(id)}>
            <b>{visitor.displayName}</b> {subject}
            <small>{lastMessagePreview}</small>
            <small>{assignee?.displayName ?? 'Unassigned'}</small>
          </button>
        ))}
      </nav>
      {chosen !== null && <Thread key={chosen} id={chosen} drafts={drafts} send={(body) => send(chosen, body)} />}
    </main>
  )
}

function Thread({ id, drafts, send }: { id: string; drafts: readonly Draft[]; send: (body: string) => void }) {
  const { subject = null, messages = [] } = useThread(id) ?? {}
  const arrived = new Set(messages.map(({ clientMessageId }) => clientMessageId))
  const waiting = drafts.filter((draft) => draft.conversationId === id && !arrived.has(draft.clientMessageId))
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const body = String(new FormData(event.currentTarget).get('body')).trim()
    event.currentTarget.reset()
    if (body !== '') send(body)
  }
  return (
    <section aria-label={subject ?? 'Conversation'}>
      <ol>
        {messages.map(({ id, body, type, sender }) => (
          <Line key={id} note={`${sender?.displayName ?? 'Unknown'} · ${type}`} body={body} />
        ))}
        {waiting.map(({ clientMessageId, body, problem }) => (
          <Line key={clientMessageId} note={problem ?? 'Sending …'} body={body} />
        ))}
      </ol>
      <form onSubmit={submit}>
        <input name="body" aria-label="Message" autoComplete="off" maxLength={10_000} />
        <button type="submit">Send</button>
      </form>
    </section>
  )
}

function Line({ note, body }: { note: string; body: string }) {
  return (
    <li>
      <small>{note}</small>
      {body}
    </li>
  )
}

const root = document.getElementById('root')
if (root !== null) createRoot(root).render(<App />)
