import { useEffect, useRef } from 'react'
import { useBlocker } from 'react-router'

/**
 * Keeps somebody where something is shown that will never be shown again: neither a link nor the browser's back button leads away.
 * @returns lets them go; to be called before leading elsewhere
 */
export function useStay(): () => void {
  const isFree = useRef(false)
  useBlocker(() => !isFree.current)
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  }, [])
  return () => {
    isFree.current = true
  }
}
