import { Title } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './Door.module.css'
import { useDocumentTitle } from './Page.tsx'

interface DoorProps {
  readonly title: string
  readonly description?: ReactNode
  readonly children: ReactNode
}

/** The frame of the pages before sign-in: one card in the middle. */
export function Door({ title, description, children }: DoorProps) {
  useDocumentTitle(title)
  return (
    <main className={classes.door}>
      <div className={classes.card}>
        <img src="/favicon.svg" width={40} height={40} alt="GudDesk" />
        <Title order={1} mt="md">
          {title}
        </Title>
        {description !== undefined && <p className={classes.description}>{description}</p>}
        {children}
      </div>
    </main>
  )
}
