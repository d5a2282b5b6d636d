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
      title="There is nothing at this address"
      actions={
        <Button component={Link} to="/">
          To the inbox
        </Button>
      }
    >
      It may have been removed, it may be in another workspace, or the address is mistyped.
    </EmptyState>
  )
}
