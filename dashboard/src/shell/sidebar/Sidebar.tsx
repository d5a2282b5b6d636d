import { UnstyledButton } from '@mantine/core'
import { Search } from 'lucide-react'
import { NavLink } from 'react-router'
import { PlaygroundButton } from '../../playground/PlaygroundButton.tsx'
import { INBOX_VIEWS, OPERATIONS, type Place, SETTINGS } from '../../viewer/navigation.ts'
import { useWorkspace } from '../../viewer/workspace.ts'
import { ConnectionState } from '../connection/ConnectionState.tsx'
import { openOverlay } from '../overlays/overlays.ts'
import { keyName } from '../overlays/shortcuts.ts'
import classes from './Sidebar.module.css'
import { UserMenu } from './UserMenu.tsx'
import { useInboxCounts } from './useInboxCounts.ts'
import { WorkspaceSwitcher } from './WorkspaceSwitcher.tsx'

export function Sidebar() {
  const counts = useInboxCounts()
  const views = INBOX_VIEWS.map((view) => ({ ...view, count: view.id === 'closed' ? null : counts?.[view.id] }))
  return (
    <div className={classes.sidebar}>
      <WorkspaceSwitcher />
      <UnstyledButton className={classes.search} onClick={() => openOverlay('palette')}>
        <Search size={15} aria-hidden />
        <span>Search</span>
        <span className={classes.keys}>
          <kbd>{keyName('mod')}</kbd>
          <kbd>K</kbd>
        </span>
      </UnstyledButton>
      <nav className={classes.nav} aria-label="Main">
        <Group label="Inbox" places={views} />
        <Group label="Operations" places={OPERATIONS} />
        <Group label="Settings" places={SETTINGS} />
      </nav>
      <PlaygroundButton />
      <ConnectionState />
      <UserMenu />
    </div>
  )
}

const short = new Intl.NumberFormat(undefined, { notation: 'compact' })

interface GroupProps {
  readonly label: string
  readonly places: readonly (Place & { readonly count?: number | null | undefined })[]
}

function Group({ label, places }: GroupProps) {
  const { path } = useWorkspace()
  return (
    <section className={classes.group} aria-label={label}>
      <h2 className={classes.label}>{label}</h2>
      <ul className={classes.list}>
        {places.map(({ label: name, path: below, icon: Icon, count }) => (
          <li key={below}>
            <NavLink to={path(below)} className={classes.link ?? ''}>
              <Icon size={16} aria-hidden />
              <span className={classes.name}>{name}</span>
              {count != null && count > 0 && <span className={classes.count}>{short.format(count)}</span>}
            </NavLink>
          </li>
        ))}
      </ul>
    </section>
  )
}
