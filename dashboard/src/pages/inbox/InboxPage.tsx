import { Inbox } from 'lucide-react'
import { useParams } from 'react-router'
import { INBOX_VIEWS } from '../../shell/navigation.ts'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Page } from '../../ui/Page.tsx'

export function InboxPage() {
  const { view } = useParams()
  const label = INBOX_VIEWS.find(({ id }) => id === view)?.label ?? 'Inbox'
  return (
    <Page title={label}>
      <EmptyState icon={Inbox} title="Conversations are not shown here yet">
        Until they are, the GraphQL API lists them: see conversations in its documentation at /graphql.
      </EmptyState>
    </Page>
  )
}
