import { CloudOff } from 'lucide-react'
import { useEffect, useState } from 'react'
import classes from './ConnectionNotice.module.css'
import { useConnectionState } from './ConnectionState.tsx'

/** A blip heals by itself and needs no words. */
const PATIENCE_MS = 1500

/** Says across the page that it is not live, once that lasts. */
export function ConnectionNotice() {
  const isLost = useConnectionState() === 'reconnecting'
  const [isShown, setShown] = useState(false)
  useEffect(() => {
    if (!isLost) {
      setShown(false)
      return
    }
    const timer = setTimeout(() => setShown(true), PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [isLost])
  return (
    <div role="status">
      {isShown && (
        <p className={classes.notice}>
          <CloudOff size={15} aria-hidden />
          Connection lost. You see how things were; reconnecting by itself.
        </p>
      )}
    </div>
  )
}
