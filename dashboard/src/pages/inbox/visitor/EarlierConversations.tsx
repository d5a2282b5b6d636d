import { useEffect, useMemo } from 'react'
import { Link } from 'react-router'
import { useQuery } from 'urql'
import { ConversationPage } from '../../../conversations/documents.ts'
import { followList } from '../../../conversations/inbox.ts'
import type { Row } from '../../../conversations/views.ts'
import { Time } from '../../../ui/Time.tsx'
import { useWorkspace } from '../../../viewer/workspace.ts'
import classes from './VisitorPanel.module.css'

const MOST = 10
const STATUS = { OPEN: 'Open', SNOOZED: 'Snoozed', CLOSED: 'Closed' } as const

interface EarlierConversationsProps {
  readonly visitorId: string
  readonly currentId: string
}

/** The visitor's other conversations, latest first. */
export function EarlierConversations({ visitorId, currentId }: EarlierConversationsProps) {
  const { api, inbox } = useWorkspace()
  const { filter, after } = useMemo(() => ({ filter: { visitorId }, after: inbox.cursor() }), [visitorId, inbox])
  const variables = { filter, first: MOST, after: null }
  const [{ data }, readAgain] = useQuery({ query: ConversationPage, variables, requestPolicy: 'cache-and-network' })
  useEffect(() => {
    const onFresh = () => readAgain({ requestPolicy: 'network-only' })
    return followList(api.client, { filter, after, onFresh })
  }, [api, filter, after, readAgain])
  const others = data?.conversations?.edges.map(({ node }) => node).filter(({ id }) => id !== currentId) ?? []
  return (
    <section aria-label="Other conversations">
      <h3 className={classes.heading}>Other conversations</h3>
      {others.length === 0 && (
        <p className={classes.dim}>{data === undefined ? 'Loading' : 'No other conversations.'}</p>
      )}
      <ul className={classes.earlier}>
        {others.map((row) => (
          <Other key={row.id} row={row} />
        ))}
      </ul>
    </section>
  )
}

function Other({ row }: { readonly row: Row }) {
  const { path } = useWorkspace()
  const view = row.status === 'OPEN' ? 'open' : row.status === 'SNOOZED' ? 'snoozed' : 'closed'
  return (
    <li>
      <Link to={path(`inbox/${view}/${row.id}`)}>
        <span className={classes.line}>
          <span>{row.subject ?? row.lastMessagePreview ?? 'No messages'}</span>
          <Time at={row.lastActivityAt} short className={classes.dim} />
        </span>
        <span className={classes.dim}>{STATUS[row.status]}</span>
      </Link>
    </li>
  )
}
