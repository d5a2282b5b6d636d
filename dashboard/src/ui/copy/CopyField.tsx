import { Button } from '@mantine/core'
import { Check, Copy } from 'lucide-react'
import { useRef } from 'react'
import classes from './CopyField.module.css'
import { COPY_SAYS, useCopy } from './useCopy.ts'

interface CopyFieldProps {
  readonly label: string
  readonly value: string
  /** Of several lines, such as a command. */
  readonly isLong?: boolean
}

/** A text to take elsewhere, whole, with a button that copies it. */
export function CopyField({ label, value, isLong = false }: CopyFieldProps) {
  const text = useRef<HTMLElement>(null)
  const [state, copy] = useCopy(value, text)
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
        {COPY_SAYS[state]}
      </p>
    </div>
  )
}
