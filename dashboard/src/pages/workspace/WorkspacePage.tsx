import { Building2 } from 'lucide-react'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Page } from '../../ui/Page.tsx'

export function Component() {
  return (
    <Page title="Workspace" description="The workspace’s name and address.">
      <EmptyState icon={Building2} title="This page is not built yet">
        Until it is, the GraphQL API does what will be done here: see the workspace in its documentation at /graphql.
      </EmptyState>
    </Page>
  )
}
