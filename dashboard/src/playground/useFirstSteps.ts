import { useCallback, useEffect } from 'react'
import { useQuery } from 'urql'
import { useAction } from '../api/useAction.ts'
import { useWorkspace } from '../viewer/workspace.ts'
import { FirstSteps, InstallEchoAgent } from './documents.ts'

/** A delivery is no event of the inbox: it is asked for. */
const LOOK_MS = 3000

export interface Steps {
  /** Nothing is known yet. */
  readonly isLoading: boolean
  readonly hasAgent: boolean
  readonly hasConversation: boolean
  /** The latest that was delivered; null before the first. */
  readonly delivery: { readonly id: string; readonly endpointId: string } | null
  readonly isInstalling: boolean
  readonly installEcho: () => Promise<void>
}

/** The way to the first webhook delivered. Looks again while the last step is open. */
export function useFirstSteps(): Steps {
  const { inbox } = useWorkspace()
  const [{ data }, reload] = useQuery({ query: FirstSteps })
  const [run, isInstalling] = useAction(InstallEchoAgent)
  const look = useCallback(() => reload({ requestPolicy: 'network-only' }), [reload])
  const delivery = data?.deliveries?.edges[0]?.node
  const isDone = delivery !== undefined && (data?.agents?.edges.length ?? 0) > 0

  useEffect(() => {
    if (isDone) return
    const timer = setInterval(look, LOOK_MS)
    const unlisten = inbox.changed.listen(look)
    return () => {
      clearInterval(timer)
      unlisten()
    }
  }, [isDone, inbox, look])

  return {
    isLoading: data === undefined,
    hasAgent: (data?.agents?.edges.length ?? 0) > 0,
    hasConversation: (data?.conversations?.edges.length ?? 0) > 0,
    delivery: delivery === undefined ? null : { id: delivery.id, endpointId: delivery.endpoint.id },
    isInstalling,
    installEcho: async () => {
      const outcome = await run({ input: {} })
      if (outcome.ok) look()
    },
  }
}
