import { Anchor, Title } from '@mantine/core'
import { ArrowLeft } from 'lucide-react'
import { type ReactNode, useEffect } from 'react'
import { Link } from 'react-router'
import classes from './Page.module.css'

interface PageProps {
  readonly title: string
  /** One sentence on what the page is for. */
  readonly description?: ReactNode
  /** The page that this one was reached from. */
  readonly back?: { readonly to: string; readonly label: string }
  /** Buttons at the right of the title. */
  readonly actions?: ReactNode
  /** For tables and charts; text and forms read better in a narrow column. */
  readonly wide?: boolean
  readonly children?: ReactNode
}

/** The frame of every page but the inbox: a title, what to do here, and a scrolling body. */
export function Page({ title, description, back, actions, wide = false, children }: PageProps) {
  useDocumentTitle(title)
  return (
    <div className={classes.page} data-wide={wide || undefined}>
      <header className={classes.header}>
        <div>
          {back !== undefined && (
            <Anchor component={Link} to={back.to} className={classes.back ?? ''}>
              <ArrowLeft size={14} aria-hidden /> {back.label}
            </Anchor>
          )}
          <Title order={1}>{title}</Title>
          {description !== undefined && <p className={classes.description}>{description}</p>}
        </div>
        {actions !== undefined && <div className={classes.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  )
}

/** What the browser's tab says. */
export function useDocumentTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · GudDesk`
  }, [title])
}
