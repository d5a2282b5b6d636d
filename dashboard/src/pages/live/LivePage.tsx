import { Activity } from 'lucide-react'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Page } from '../../ui/Page.tsx'

export function Component() {
  return (
    <Page title="Live" description="Events and deliveries as they happen.">
      <EmptyState icon={Activity} title="This page is not built yet">
        Until it is, the GraphQL API does what will be done here: see live events in its documentation at /graphql.
      </EmptyState>
    </Page>
  )
}
