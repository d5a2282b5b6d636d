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
        title={isOutdated ? 'GudDesk was updated' : 'Something went wrong'}
        actions={
          <>
            <Button onClick={() => location.reload()}>Reload</Button>
            <Button variant="default" component={Link} to="/">
              Go to inbox
            </Button>
          </>
        }
      >
        {isOutdated
          ? 'The server has a newer version. Reload to use it; saved changes are kept.'
          : `Saved changes are kept. Reload the page. If the problem persists, tell your server administrator: ${message}`}
      </EmptyState>
    </main>
  )
}
