import { Users } from 'lucide-react'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Page } from '../../ui/Page.tsx'

export function Component() {
  return (
    <Page title="Members" description="Who works in this workspace, and in which role.">
      <EmptyState icon={Users} title="This page is not built yet">
        Until it is, the GraphQL API does what will be done here: see members in its documentation at /graphql.
      </EmptyState>
    </Page>
  )
}
