import { useSession } from '../../api/session.ts'
import { Page } from '../../ui/Page.tsx'

export function Component() {
  const { session } = useSession()
  return <Page title="Profile" description={`You are signed in as ${session.user.name}.`} />
}
