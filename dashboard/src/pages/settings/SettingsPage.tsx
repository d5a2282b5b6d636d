import { Link } from 'react-router'
import { SETTINGS } from '../../shell/navigation.ts'
import { useWorkspace } from '../../shell/workspace.ts'
import { Page } from '../../ui/Page.tsx'
import classes from './SettingsPage.module.css'

/** Where each setting is found. */
export function Component() {
  const { workspace, path } = useWorkspace()
  return (
    <Page title="Workspace Settings" description={`What can be set up in ${workspace.name}.`}>
      <ul className={classes.places}>
        {SETTINGS.map(({ label, path: below, icon: Icon, about }) => (
          <li key={below} className={classes.place}>
            <Icon size={20} aria-hidden />
            <div>
              <Link className={classes.name ?? ''} to={path(below)}>
                {label}
              </Link>
              <p className={classes.about}>{about}</p>
            </div>
          </li>
        ))}
      </ul>
    </Page>
  )
}
