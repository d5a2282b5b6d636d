import { Lock } from 'lucide-react'
import type { ReactNode } from 'react'
import { useQuery } from 'urql'
import { graphql } from '../api/graphql.ts'
import { EmptyState } from '../ui/states/EmptyState.tsx'
import { roleName } from './roles.ts'
import { useWorkspace } from './workspace.ts'

const WhoManages = graphql(`
  query WhoManages {
    workspace {
      id
      members(first: 100) {
        edges {
          node {
            id
            name
            role
          }
        }
      }
    }
  }
`)

const list = new Intl.ListFormat('en', { type: 'disjunction' })
const MOST_NAMES = 3

interface NotAllowedProps {
  /** What owners and admins may do here: "see the audit log". */
  readonly what: string
  readonly children?: ReactNode
}

/** In place of what is for owners and admins: it says so, and who they are. */
export function NotAllowed({ what, children }: NotAllowedProps) {
  const { role } = useWorkspace()
  return (
    <EmptyState icon={Lock} title={`Only owners and admins can ${what}`}>
      {role !== null && `Your role here is ${roleName(role)}. `}
      <WhomToAsk />
      {children}
    </EmptyState>
  )
}

/** "Ask Olivia Owens or Ada Adler." */
export function WhomToAsk() {
  const [{ data }] = useQuery({ query: WhoManages, requestPolicy: 'cache-first' })
  const names = (data?.workspace?.members?.edges ?? [])
    .map(({ node }) => node)
    .filter(({ role }) => role === 'OWNER' || role === 'ADMIN')
    .map(({ name }) => name)
  // Until the names are there, and where they cannot be read.
  return <>Ask {names.length === 0 ? 'one of them' : list.format(names.slice(0, MOST_NAMES))}.</>
}
