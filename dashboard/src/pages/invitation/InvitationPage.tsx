import { Button } from '@mantine/core'
import { Link } from 'react-router'
import { Door } from '../../ui/Door.tsx'

export function Component() {
  return (
    <Door
      title="Invitation"
      description="Invitations cannot be accepted here yet. Ask whoever invited you to add you as a member instead."
    >
      <Button component={Link} to="/sign-in" mt="lg" fullWidth>
        Sign in
      </Button>
    </Door>
  )
}
