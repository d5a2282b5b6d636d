import { createContext, useContext } from 'react'
import type { Api } from '../api/client.ts'
import type { Signal } from '../api/signal.ts'
import type { MemberRole } from '../generated/documents.ts'
import type { SessionWorkspace } from '../session/session.ts'

/** The live inbox of the open workspace. */
export interface Inbox {
  /** Sent when conversations have changed. */
  readonly changed: Signal
  /** How far it has come: a list that is read now has everything up to here. Null before its first update. */
  cursor(): string | null
  /** By list: the conversations that had left it when it was last looked at, and are in the cache's page of it still. */
  readonly left: Map<string, ReadonlySet<string>>
}

export interface WorkspaceValue {
  readonly workspace: SessionWorkspace
  readonly api: Api
  readonly inbox: Inbox
  /** Who the signed-in person is in this workspace, and what they may do. */
  readonly memberId: string
  readonly role: MemberRole | null
  /** What only helps to try things out is offered. */
  readonly isDevelopment: boolean
  /** An address within this workspace: `path('settings/webhooks')`. */
  readonly path: (below: string) => string
}

export const WorkspaceContext = createContext<WorkspaceValue | null>(null)

export function useWorkspace(): WorkspaceValue {
  const value = useContext(WorkspaceContext)
  if (value === null) throw new Error('useWorkspace is for what stands below WorkspaceShell')
  return value
}

const LAST = 'guddesk-last-workspace'

export const lastWorkspace = {
  read(): string | null {
    return localStorage.getItem(LAST)
  },
  write(slug: string): void {
    localStorage.setItem(LAST, slug)
  },
}
