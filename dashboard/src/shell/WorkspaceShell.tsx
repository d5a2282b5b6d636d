import { useEffect, useMemo, useState } from 'react'
import { useParams } from 'react-router'
import { Provider, useQuery } from 'urql'
import { type Api, openApi } from '../api/client.ts'
import { inboxOptimistic } from '../conversations/cacheOptimistic.ts'
import { inboxUpdates } from '../conversations/cacheUpdates.ts'
import { openInbox } from '../conversations/inbox.ts'
import { type SessionWorkspace, useSession } from '../session/session.ts'
import { Splash } from '../ui/layout/Splash.tsx'
import { NotFound } from '../ui/states/NotFound.tsx'
import { Unreachable } from '../ui/states/Unreachable.tsx'
import { OwnMembership } from '../viewer/documents.ts'
import { IS_DEVELOPMENT } from '../viewer/mode.ts'
import { type Inbox, lastWorkspace, WorkspaceContext } from '../viewer/workspace.ts'
import { Shell } from './Shell.tsx'

/** Everything below `/w/<slug>`: the workspace's own client and cache, and the frame around its pages. */
export function WorkspaceShell() {
  const { slug } = useParams()
  const { session } = useSession()
  const workspace = session.workspaces.find((each) => each.slug === slug)
  if (workspace === undefined) return <NotFound />
  return <Opened key={workspace.id} workspace={workspace} />
}

interface Connected {
  readonly api: Api
  readonly inbox: Inbox
}

interface OpenedProps {
  readonly workspace: SessionWorkspace
}

function Opened({ workspace: { id, slug } }: OpenedProps) {
  const { signedOut } = useSession()
  const [opened, setOpened] = useState<Connected>()
  useEffect(() => {
    lastWorkspace.write(slug)
    const api = openApi(id, { updates: inboxUpdates, optimistic: inboxOptimistic }, signedOut)
    const inbox = openInbox(api.client)
    setOpened({ api, inbox })
    return () => {
      inbox.close()
      api.close()
    }
  }, [id, slug, signedOut])
  if (opened === undefined) return <Splash />
  return (
    <Provider value={opened.api.client}>
      <Entered {...opened} />
    </Provider>
  )
}

function Entered({ api, inbox }: Connected) {
  const { slug } = useParams()
  const { session } = useSession()
  const workspace = session.workspaces.find((each) => each.slug === slug)
  const [{ data, error }, retry] = useQuery({ query: OwnMembership, requestPolicy: 'cache-first' })
  const viewer = data?.viewer
  const value = useMemo(() => {
    if (viewer == null || workspace === undefined) return null
    const path = (below: string) => `/w/${workspace.slug}/${below}`
    return {
      workspace,
      api,
      inbox,
      memberId: viewer.member?.id ?? '',
      role: viewer.role,
      isDevelopment: IS_DEVELOPMENT,
      path,
    }
  }, [workspace, api, inbox, viewer])
  if (value !== null) {
    return (
      <WorkspaceContext value={value}>
        <Shell />
      </WorkspaceContext>
    )
  }
  return error === undefined ? <Splash /> : <Unreachable onRetry={() => retry({ requestPolicy: 'network-only' })} />
}
