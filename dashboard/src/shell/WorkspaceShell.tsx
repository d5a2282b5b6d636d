import { useEffect, useMemo, useState } from 'react'
import { useParams } from 'react-router'
import { Provider, useQuery } from 'urql'
import { type Api, openApi } from '../api/client.ts'
import { type SessionWorkspace, useSession } from '../api/session.ts'
import { Component as NotFoundPage } from '../pages/not-found/NotFoundPage.tsx'
import { Splash } from '../ui/Splash.tsx'
import { Unreachable } from '../ui/Unreachable.tsx'
import { OwnMembership } from './documents.ts'
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

interface OpenedProps {
  readonly workspace: SessionWorkspace
}

function Opened({ workspace: { id, slug } }: OpenedProps) {
  const { signedOut } = useSession()
  const [api, setApi] = useState<Api>()
  useEffect(() => {
    lastWorkspace.write(slug)
    const opened = openApi(id, signedOut)
    setApi(opened)
    return () => opened.close()
  }, [id, slug, signedOut])
  if (api === undefined) return <Splash />
  return (
    <Provider value={api.client}>
      <Entered api={api} />
    </Provider>
  )
}

function Entered({ api }: { readonly api: Api }) {
  const { slug } = useParams()
  const { session } = useSession()
  const workspace = session.workspaces.find((each) => each.slug === slug)
  const [{ data, error }, retry] = useQuery({ query: OwnMembership, requestPolicy: 'cache-first' })
  const viewer = data?.viewer
  const value = useMemo(() => {
    if (viewer === undefined || workspace === undefined) return null
    const path = (below: string) => `/w/${workspace.slug}/${below}`
    return { workspace, api, memberId: viewer.actor.id, role: viewer.role, isDevelopment: viewer.isDevelopment, path }
  }, [workspace, api, viewer])
  if (value !== null) {
    return (
      <WorkspaceContext value={value}>
        <Shell />
      </WorkspaceContext>
    )
  }
  return error === undefined ? <Splash /> : <Unreachable onRetry={() => retry({ requestPolicy: 'network-only' })} />
}
