import { Menu, UnstyledButton } from '@mantine/core'
import { Check, ChevronsUpDown, Plus, Settings } from 'lucide-react'
import { lazy, Suspense, useRef, useState } from 'react'
import { useNavigate } from 'react-router'
import { useSession } from '../../session/session.ts'
import { useWorkspace } from '../../viewer/workspace.ts'
import classes from './WorkspaceSwitcher.module.css'

const NewWorkspaceDialog = lazy(() => import('../../pages/workspace/NewWorkspaceDialog.tsx'))

export function WorkspaceSwitcher() {
  const { session } = useSession()
  const { workspace, path } = useWorkspace()
  const navigate = useNavigate()
  const button = useRef<HTMLButtonElement>(null)
  const [dialog, setDialog] = useState<'open' | 'closing' | null>(null)
  return (
    <>
      <Menu width={230} position="bottom-start">
        <Menu.Target>
          <UnstyledButton ref={button} className={classes.button}>
            <span className={classes.mark} aria-hidden>
              {workspace.name.slice(0, 1).toUpperCase()}
            </span>
            <span className={classes.name}>{workspace.name}</span>
            <span className="visually-hidden">Change workspace</span>
            <ChevronsUpDown size={14} aria-hidden />
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>Workspaces</Menu.Label>
          {session.workspaces.map(({ id, name, slug }) => (
            <Menu.Item
              key={id}
              rightSection={id === workspace.id ? <Check size={14} aria-label="current" /> : undefined}
              onClick={() => void navigate(`/w/${slug}/inbox/open`)}
            >
              {name}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item leftSection={<Settings size={15} aria-hidden />} onClick={() => void navigate(path('settings'))}>
            Workspace Settings
          </Menu.Item>
          <Menu.Item leftSection={<Plus size={15} aria-hidden />} onClick={() => setDialog('open')}>
            New workspace
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {dialog !== null && (
        <Suspense fallback={null}>
          <NewWorkspaceDialog
            isOpen={dialog === 'open'}
            onClose={() => setDialog('closing')}
            onExited={() => {
              setDialog(null)
              // Its opener was an item of the menu, which is gone.
              button.current?.focus()
            }}
          />
        </Suspense>
      )}
    </>
  )
}
