import { Button } from '@mantine/core'
import { Check, Copy } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import classes from './CopyField.module.css'

interface CopyFieldProps {
  readonly label: string
  readonly value: string
  /** Of several lines, such as a command. */
  readonly isLong?: boolean
}

type State = 'idle' | 'copied' | 'refused'

const SAYS: Record<State, string> = {
  idle: '',
  copied: 'Copied',
  refused: 'The browser does not let this page copy. It is selected: copy it by hand.',
}

/** A text to take elsewhere, whole, with a button that copies it. */
export function CopyField({ label, value, isLong = false }: CopyFieldProps) {
  const text = useRef<HTMLElement>(null)
  const [state, setState] = useState<State>('idle')
  useEffect(() => {
    if (state !== 'copied') return
    const timer = setTimeout(() => setState('idle'), 2000)
    return () => clearTimeout(timer)
  }, [state])

  async function copy() {
    try {
      // Without https there is no clipboard at all.
      await navigator.clipboard.writeText(value)
      setState('copied')
    } catch {
      if (text.current !== null) getSelection()?.selectAllChildren(text.current)
      setState('refused')
    }
  }

  return (
    <div>
      <p className={classes.label}>{label}</p>
      <div className={classes.field} data-long={isLong || undefined}>
        <code ref={text} className={classes.value}>
          {value}
        </code>
        <Button
          size="xs"
          variant="default"
          leftSection={state === 'copied' ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
          onClick={() => void copy()}
        >
          {state === 'copied' ? 'Copied' : 'Copy'}
          <span className="visually-hidden"> {label}</span>
        </Button>
      </div>
      <p className={state === 'refused' ? classes.refused : 'visually-hidden'} role="status">
        {SAYS[state]}
      </p>
    </div>
  )
}
