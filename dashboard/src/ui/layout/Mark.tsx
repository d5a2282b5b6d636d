import classes from './Mark.module.css'

interface MarkProps {
  readonly tone: 'good' | 'warn' | 'bad' | 'idle'
  readonly label: string
}

/** A state in a word, with a dot of its colour. */
export function Mark({ tone, label }: MarkProps) {
  return (
    <span className={classes.mark} data-tone={tone}>
      {label}
    </span>
  )
}
