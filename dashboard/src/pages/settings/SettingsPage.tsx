import { Link } from 'react-router'
import { Page } from '../../ui/layout/Page.tsx'
import { SETTINGS } from '../../viewer/navigation.ts'
import { useWorkspace } from '../../viewer/workspace.ts'
import classes from './SettingsPage.module.css'

/** What is found in each place, by its label. */
const ABOUT: Readonly<Record<string, string>> = {
  Webhooks: 'Endpoints that receive events, and every delivery to them.',
  'AI Agents': 'Services that reply in conversations. Install and monitor them.',
  'API keys': 'Credentials for programs that use the API.',
  Members: 'Members, roles and invitations.',
  'Audit log': 'All changes, with actor, source and time.',
  Workspace: 'Name, address, plan and id.',
}

/** Where each setting is found. */
export function Component() {
  const { workspace, path } = useWorkspace()
  return (
    <Page title="Workspace Settings" description={`Settings of ${workspace.name}.`}>
      <ul className={classes.places}>
        {SETTINGS.map(({ label, path: below, icon: Icon }) => (
          <li key={below} className={classes.place}>
            <Icon size={20} aria-hidden />
            <div>
              <Link className={classes.name ?? ''} to={path(below)}>
                {label}
              </Link>
              <p className={classes.about}>{ABOUT[label]}</p>
            </div>
          </li>
        ))}
      </ul>
    </Page>
  )
}
