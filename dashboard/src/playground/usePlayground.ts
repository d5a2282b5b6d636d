import { useLocalStorage } from '@mantine/hooks'
import { useCallback } from 'react'
import { useWorkspace } from '../viewer/workspace.ts'

interface Playground {
  readonly isOpen: boolean
  /** The simulated visitor and what they write in; null before their first message. */
  readonly talk: { readonly visitor: string; readonly conversationId: string } | null
}

const CLOSED: Playground = { isOpen: false, talk: null }

/** The simulated visitor of this browser in this workspace. Whoever uses it shares it: the window, its button, the steps. */
export function usePlayground() {
  const { workspace } = useWorkspace()
  const [state, setState] = useLocalStorage<Playground>({
    key: `guddesk-playground:${workspace.id}`,
    defaultValue: CLOSED,
    getInitialValueInEffect: false,
  })
  return {
    ...state,
    open: useCallback(() => setState((now) => ({ ...now, isOpen: true })), [setState]),
    close: useCallback(() => setState((now) => ({ ...now, isOpen: false })), [setState]),
    setTalk: useCallback((talk: Playground['talk']) => setState((now) => ({ ...now, talk })), [setState]),
  }
}
