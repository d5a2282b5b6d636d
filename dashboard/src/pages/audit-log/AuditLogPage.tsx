import { ScrollText } from 'lucide-react'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Page } from '../../ui/Page.tsx'

export function Component() {
  return (
    <Page title="Audit log" description="Who changed what, and when.">
      <EmptyState icon={ScrollText} title="This page is not built yet">
        Until it is, the GraphQL API does what will be done here: see the audit log in its documentation at /graphql.
      </EmptyState>
    </Page>
  )
}
