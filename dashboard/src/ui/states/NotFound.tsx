import { Button } from '@mantine/core'
import { Compass } from 'lucide-react'
import { Link } from 'react-router'
import { useDocumentTitle } from '../layout/Page.tsx'
import { EmptyState } from './EmptyState.tsx'

/** In place of a page, for an address that leads nowhere. */
export function NotFound() {
  useDocumentTitle('Not found')
  return (
    <EmptyState
      isPage
      icon={Compass}
      title="Page not found"
      actions={
        <Button component={Link} to="/">
          Go to inbox
        </Button>
      }
    >
      It may have been removed, or belong to another workspace. Check the address.
    </EmptyState>
  )
}
