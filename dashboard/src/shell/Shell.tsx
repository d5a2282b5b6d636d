import { Burger } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { lazy, Suspense, useEffect, useState } from 'react'
import { Outlet, useLocation } from 'react-router'
import { Playground } from '../playground/Playground.tsx'
import { useWorkspace } from '../viewer/workspace.ts'
import { ConnectionNotice } from './connection/ConnectionNotice.tsx'
import { Overlays } from './overlays/Overlays.tsx'
import classes from './Shell.module.css'
import { Sidebar } from './sidebar/Sidebar.tsx'

const MenuDrawer = lazy(() => import('./sidebar/MenuDrawer.tsx'))

/** The frame: the sidebar, which is a drawer on a phone, and the page. */
export function Shell() {
  const { workspace } = useWorkspace()
  const [isOpen, drawer] = useDisclosure()
  const [wasOpened, setOpened] = useState(false)
  if (isOpen && !wasOpened) setOpened(true)
  const { pathname } = useLocation()
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page closes the drawer
  useEffect(() => drawer.close(), [pathname])

  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#content">
        Skip to content
      </a>
      <aside className={classes.sidebar} aria-label="Sidebar">
        <Sidebar />
      </aside>
      <header className={classes.bar}>
        <Burger size="sm" opened={isOpen} onClick={drawer.toggle} aria-label="Menu" />
        <span className={classes.barTitle}>{workspace.name}</span>
      </header>
      <Suspense fallback={null}>{wasOpened && <MenuDrawer isOpen={isOpen} onClose={drawer.close} />}</Suspense>
      <main id="content" className={classes.main} tabIndex={-1}>
        <ConnectionNotice />
        <div className={classes.page}>
          <Outlet />
        </div>
      </main>
      <Overlays />
      <Playground />
    </div>
  )
}
