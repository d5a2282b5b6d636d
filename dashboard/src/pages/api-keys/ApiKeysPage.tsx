import { KeyRound } from 'lucide-react'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Page } from '../../ui/Page.tsx'

export function Component() {
  return (
    <Page title="API keys" description="Credentials for programs that act in this workspace.">
      <EmptyState icon={KeyRound} title="This page is not built yet">
        Until it is, the GraphQL API does what will be done here: see API keys in its documentation at /graphql.
      </EmptyState>
    </Page>
  )
}
