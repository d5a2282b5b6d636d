import { useEffect, useMemo, useState } from 'react'
import { useParams } from 'react-router'
import { Provider } from 'urql'
import { type Api, openApi } from '../api/client.ts'
import { type SessionWorkspace, useSession } from '../api/session.ts'
import { Component as NotFoundPage } from '../pages/not-found/NotFoundPage.tsx'
import { Splash } from '../ui/Splash.tsx'
import { Shell } from './Shell.tsx'
import { lastWorkspace, WorkspaceContext } from './workspace.ts'

/** Everything below `/w/<slug>`: the workspace's own client and cache, and the frame around its pages. */
export function WorkspaceShell() {
  const { slug } = useParams()
  const { session } = useSession()
  const workspace = session.workspaces.find((each) => each.slug === slug)
  if (workspace === undefined) return <NotFoundPage />
  return <Opened key={workspace.id} workspace={workspace} />
}

function Opened({ workspace }: { readonly workspace: SessionWorkspace }) {
  const { signedOut } = useSession()
  const [api, setApi] = useState<Api>()
  useEffect(() => {
    lastWorkspace.write(workspace.slug)
    const opened = openApi(workspace.id, signedOut)
    setApi(opened)
    return () => opened.close()
  }, [workspace.id, workspace.slug, signedOut])
  const value = useMemo(
    () => api && { workspace, api, path: (below: string) => `/w/${workspace.slug}/${below}` },
    [api, workspace],
  )
  if (api === undefined || value === undefined) return <Splash />
  return (
    <Provider value={api.client}>
      <WorkspaceContext value={value}>
        <Shell />
      </WorkspaceContext>
    </Provider>
  )
}
