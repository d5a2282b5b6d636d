import { Client, fetchExchange } from '@urql/core'
import { createContext, useContext } from 'react'
import { graphql } from './graphql.ts'

export interface SessionWorkspace {
  readonly id: string
  readonly name: string
  readonly slug: string
  /** Who the signed-in person is there. */
  readonly memberId: string
}

/** Who is signed in, and where they may go. */
export interface Session {
  readonly user: { readonly name: string; readonly email: string }
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
    viewer {
      actor {
        id
        name
      }
      workspace {
        id
        name
        slug
        members {
          id
          email
        }
      }
    }
  }
`)

/** @returns null when nobody is signed in. @throws CombinedError when the server cannot be asked */
export async function fetchSession(): Promise<Session | null> {
  const client = new Client({ url: '/graphql', preferGetMethod: false, exchanges: [fetchExchange] })
  const { data, error } = await client.query(WhoAmI, {}).toPromise()
  if (error?.response?.status === 401) return null
  if (error !== undefined || data === undefined) throw error ?? new Error('The server gave no answer')
  const { actor, workspace } = data.viewer
  const email = workspace.members.find(({ id }) => id === actor.id)?.email ?? ''
  return { user: { name: actor.name, email }, workspaces: [{ ...workspace, memberId: actor.id }] }
}
