import { Building2 } from 'lucide-react'
import { Navigate } from 'react-router'
import { useSession } from '../session/session.ts'
import { EmptyState } from '../ui/states/EmptyState.tsx'
import { lastWorkspace } from '../viewer/workspace.ts'

/** `/` leads to the workspace that was used last. */
export function ToWorkspace() {
  const { session } = useSession()
  const last = lastWorkspace.read()
  const workspace = session.workspaces.find(({ slug }) => slug === last) ?? session.workspaces[0]
  if (workspace !== undefined) return <Navigate to={`/w/${workspace.slug}/inbox/open`} replace />
  return (
    <main>
      <EmptyState isPage icon={Building2} title="No workspace">
        Ask your team for an invitation to {session.user.email}.
      </EmptyState>
    </main>
  )
}
