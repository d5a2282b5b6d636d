import type { Typist } from '../../../../conversations/useTypists.ts'
import classes from './TypingLine.module.css'

/** Who is typing. Its place is always there, so that nothing jumps. */
export function TypingLine({ typists }: { readonly typists: readonly Typist[] }) {
  return (
    <output className={classes.line}>
      {typists.length > 0 && (
        <>
          <span className={classes.dots} aria-hidden>
            <span />
            <span />
            <span />
          </span>
          {words(typists.map(({ name }) => name))}
        </>
      )}
    </output>
  )
}

function words(names: readonly string[]): string {
  if (names.length === 1) return `${names[0]} is typing`
  return names.length === 2 ? `${names.join(' and ')} are typing` : 'Several people are typing'
}
