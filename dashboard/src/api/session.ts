import { createContext, useContext } from 'react'

export interface SessionWorkspace {
  readonly id: string
  readonly name: string
  readonly slug: string
}

/** Who is signed in, and where they may go. */
export interface Session {
  readonly user: { readonly id: string; readonly name: string; readonly email: string }
  readonly workspaces: readonly SessionWorkspace[]
}

export interface SessionValue {
  readonly session: Session
  /** Reads it again, after something of it was changed. */
  readonly reload: () => Promise<void>
  /** Leads to the sign-in page and back here afterwards. */
  readonly signedOut: () => void
}

export const SessionContext = createContext<SessionValue | null>(null)

export function useSession(): SessionValue {
  const value = useContext(SessionContext)
  if (value === null) throw new Error('useSession is for what stands below SessionGate')
  return value
}

const QUERY = 'query Session { viewer { actor { id name } workspace { id name slug } } }'

/** @returns null when nobody is signed in. @throws Error when the server cannot be asked */
export async function fetchSession(): Promise<Session | null> {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: QUERY }),
  })
  if (response.status === 401) return null
  const { data } = await response.json()
  return {
    user: { id: data.viewer.actor.id, name: data.viewer.actor.name, email: '' },
    workspaces: [data.viewer.workspace],
  }
}
