import { useMemo } from 'react'
import { useQuery } from 'urql'
import { AgentIcons } from '../../../../conversations/documents.ts'

/**
 * The picture of each agent that has one, by the agent's id. Asked for apart from the messages: graphcache cannot read a
 * document with a fragment on one type of a union while it writes, and that is how live messages join the others.
 */
export function useAgentIcons(): ReadonlyMap<string, string> {
  const [{ data }] = useQuery({ query: AgentIcons, requestPolicy: 'cache-first' })
  return useMemo(
    () => new Map(data?.agents?.edges.flatMap(({ node: { id, icon } }) => (icon === null ? [] : [[id, icon]]))),
    [data],
  )
}
