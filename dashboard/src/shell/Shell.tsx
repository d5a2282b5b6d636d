import { Burger, Drawer } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useEffect } from 'react'
import { Outlet, useLocation } from 'react-router'
import { Playground } from '../playground/Playground.tsx'
import { CommandPalette } from './CommandPalette.tsx'
import { ConnectionNotice } from './ConnectionNotice.tsx'
import classes from './Shell.module.css'
import { ShortcutsHelp } from './ShortcutsHelp.tsx'
import { Sidebar } from './Sidebar.tsx'
import { useWorkspace } from './workspace.ts'

/** The frame: the sidebar, which is a drawer on a phone, and the page. */
export function Shell() {
  const { workspace } = useWorkspace()
  const [isOpen, drawer] = useDisclosure()
  const { pathname } = useLocation()
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page closes the drawer
  useEffect(() => drawer.close(), [pathname])

  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#content">
        Skip to the page
      </a>
      <aside className={classes.sidebar} aria-label="Sidebar">
        <Sidebar />
      </aside>
      <div className={classes.bar}>
        <Burger size="sm" opened={isOpen} onClick={drawer.toggle} aria-label="Menu" />
        <span className={classes.barTitle}>{workspace.name}</span>
      </div>
      <Drawer
        opened={isOpen}
        onClose={drawer.close}
        size="17rem"
        title="Menu"
        classNames={{ header: classes.drawerHeader, body: classes.drawerBody }}
      >
        <Sidebar />
      </Drawer>
      <main id="content" className={classes.main} tabIndex={-1}>
        <ConnectionNotice />
        <div className={classes.page}>
          <Outlet />
        </div>
      </main>
      <CommandPalette />
      <ShortcutsHelp />
      <Playground />
    </div>
  )
}
