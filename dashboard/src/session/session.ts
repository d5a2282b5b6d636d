import { createContext, useContext } from 'react'
import { graphql } from '../api/graphql.ts'
import type { WhoAmIQuery } from '../generated/documents.ts'
import { outside } from './outside.ts'

export type SessionUser = NonNullable<WhoAmIQuery['me']>
export type SessionWorkspace = NonNullable<WhoAmIQuery['workspaces']>['edges'][number]['node']

/** Who is signed in, and where they may go. */
export interface Session {
  readonly user: SessionUser
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

const WhoAmI = graphql(`
  query WhoAmI {
    me {
      id
      name
      email
      isEmailVerified
    }
    workspaces(first: 100) {
      edges {
        node {
          id
          name
          slug
        }
      }
    }
  }
`)

/** @returns null when nobody is signed in. @throws CombinedError when the server cannot be asked */
export async function fetchSession(): Promise<Session | null> {
  const { data, error } = await outside.query(WhoAmI, {}).toPromise()
  if (error?.response?.status === 401) return null
  const { me = null, workspaces = null } = data ?? {}
  if (me === null || workspaces === null) throw error ?? new Error('The server gave no answer')
  return { user: me, workspaces: workspaces.edges.map(({ node }) => node) }
}
