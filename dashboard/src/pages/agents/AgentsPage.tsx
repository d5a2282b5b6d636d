import { Bot } from 'lucide-react'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Page } from '../../ui/Page.tsx'

export function Component() {
  return (
    <Page title="AI Agents" description="The services that answer in this workspace’s conversations.">
      <EmptyState icon={Bot} title="This page is not built yet">
        Until it is, the GraphQL API does what will be done here: see agents in its documentation at /graphql.
      </EmptyState>
    </Page>
  )
}
