import { Button } from '@mantine/core'
import { Bug } from 'lucide-react'
import { useEffect } from 'react'
import { isRouteErrorResponse, Link, useRouteError } from 'react-router'
import { EmptyState } from './EmptyState.tsx'

/** What stands in place of a page that broke. A new version on the server is the usual cause: its old parts are gone. */
export function RouteError() {
  const error = useRouteError()
  useEffect(() => console.error(error), [error])
  const isOutdated = error instanceof TypeError && /import|fetch|module/i.test(error.message)
  const message = isRouteErrorResponse(error) ? error.statusText : error instanceof Error ? error.message : ''
  return (
    <main role="alert">
      <EmptyState
        isPage
        icon={Bug}
        title={isOutdated ? 'GudDesk was updated' : 'This page broke'}
        actions={
          <>
            <Button onClick={() => location.reload()}>Reload</Button>
            <Button variant="default" component={Link} to="/">
              To the inbox
            </Button>
          </>
        }
      >
        {isOutdated
          ? 'This page’s files are gone from the server. Reload to get the new version; nothing you saved is lost.'
          : `Nothing you saved is lost. Reload the page; if it breaks again, tell whoever runs this GudDesk: ${message}`}
      </EmptyState>
    </main>
  )
}
