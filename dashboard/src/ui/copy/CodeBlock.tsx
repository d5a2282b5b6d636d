import { ActionIcon } from '@mantine/core'
import { Check, Copy } from 'lucide-react'
import { useRef } from 'react'
import classes from './CodeBlock.module.css'
import { COPY_SAYS, useCopy } from './useCopy.ts'

interface CodeBlockProps {
  /** What it is, for who cannot see it, and for the copy button. */
  readonly label: string
  readonly text: string
  /** Long lines are broken instead of scrolled. */
  readonly wrap?: boolean
}

/** Code, JSON or a command, to read and to copy. */
export function CodeBlock({ label, text, wrap = false }: CodeBlockProps) {
  const code = useRef<HTMLElement>(null)
  const [state, copy] = useCopy(text, code)
  return (
    <figure className={classes.block} aria-label={label}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <pre className={classes.code} data-wrap={wrap || undefined} tabIndex={0}>
        <code ref={code}>{text}</code>
      </pre>
      <ActionIcon
        className={classes.copy ?? ''}
        variant="default"
        aria-label={`Copy ${label}`}
        onClick={() => void copy()}
      >
        {state === 'copied' ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
      </ActionIcon>
      <p className={state === 'refused' ? classes.refused : 'visually-hidden'} role="status">
        {COPY_SAYS[state]}
      </p>
    </figure>
  )
}
