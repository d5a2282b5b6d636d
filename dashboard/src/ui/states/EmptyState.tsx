import type { LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'
import classes from './EmptyState.module.css'

interface EmptyStateProps {
  readonly icon: LucideIcon
  /** What is not there. */
  readonly title: string
  /** It is the whole page, so its title is the page's. */
  readonly isPage?: boolean
  /** What it would be good for, and how it comes about. */
  readonly children?: ReactNode
  /** The one or two things to do now. */
  readonly actions?: ReactNode
}

/** What stands where there is nothing yet: it teaches the next step. */
export function EmptyState({ icon: Icon, title, isPage = false, children, actions }: EmptyStateProps) {
  const Heading = isPage ? 'h1' : 'h2'
  return (
    <div className={classes.empty}>
      <span className={classes.icon}>
        <Icon size={22} aria-hidden />
      </span>
      <Heading className={classes.title}>{title}</Heading>
      {children !== undefined && <div className={classes.text}>{children}</div>}
      {actions !== undefined && <div className={classes.actions}>{actions}</div>}
    </div>
  )
}
