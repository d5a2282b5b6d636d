import { Drawer } from '@mantine/core'
import classes from './MenuDrawer.module.css'
import { Sidebar } from './Sidebar.tsx'

interface MenuDrawerProps {
  readonly isOpen: boolean
  readonly onClose: () => void
}

/** The sidebar on a phone. */
export default function MenuDrawer({ isOpen, onClose }: MenuDrawerProps) {
  return (
    <Drawer
      opened={isOpen}
      onClose={onClose}
      size="17rem"
      title="Menu"
      classNames={{ header: classes.header, body: classes.body }}
    >
      <Sidebar />
    </Drawer>
  )
}
