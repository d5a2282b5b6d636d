import { Webhook } from 'lucide-react'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Page } from '../../ui/Page.tsx'

export function Component() {
  return (
    <Page title="Webhooks" description="Where this workspace sends its events, and what became of each delivery.">
      <EmptyState icon={Webhook} title="This page is not built yet">
        Until it is, the GraphQL API does what will be done here: see webhook endpoints in its documentation at
        /graphql.
      </EmptyState>
    </Page>
  )
}
