import { createContext, useContext } from 'react'
import type { Api } from '../api/client.ts'
import type { SessionWorkspace } from '../api/session.ts'
import type { MemberRole } from '../generated/documents.ts'

export interface WorkspaceValue {
  readonly workspace: SessionWorkspace
  readonly api: Api
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
