import { Menu, UnstyledButton, useMantineColorScheme } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { Check, CircleUser, Keyboard, LogOut, Monitor, Moon, Sun } from 'lucide-react'
import { useNavigate } from 'react-router'
import { signOut } from '../../session/auth.ts'
import { useSession } from '../../session/session.ts'
import { Face } from '../../ui/Face.tsx'
import { useWorkspace } from '../../viewer/workspace.ts'
import { openOverlay } from '../overlays/overlays.ts'
import classes from './UserMenu.module.css'

const SCHEMES = [
  { value: 'light', label: 'Light', icon: Sun },
  { value: 'dark', label: 'Dark', icon: Moon },
  { value: 'auto', label: 'System', icon: Monitor },
] as const

export function UserMenu() {
  const { session } = useSession()
  const { path } = useWorkspace()
  const navigate = useNavigate()
  // The library would switch transitions off by a style element, which the page's policy forbids.
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true })
  const { name, email } = session.user

  async function leave() {
    const failure = await signOut()
    if (failure === null) location.assign('/sign-in')
    else notifications.show({ color: 'red', title: 'Sign-out failed', message: failure })
  }

  return (
    <Menu width={230} position="top-start">
      <Menu.Target>
        <UnstyledButton className={classes.button}>
          <Face name={name} size={24} />
          <span className={classes.name}>{name}</span>
          <span className="visually-hidden">Profile, theme, sign out</span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{email}</Menu.Label>
        <Menu.Item leftSection={<CircleUser size={15} />} onClick={() => void navigate(path('profile'))}>
          Profile
        </Menu.Item>
        <Menu.Item
          leftSection={<Keyboard size={15} />}
          rightSection={<kbd>?</kbd>}
          onClick={() => openOverlay('shortcuts')}
        >
          Keyboard shortcuts
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>Theme</Menu.Label>
        {SCHEMES.map(({ value, label, icon: Icon }) => (
          <Menu.Item
            key={value}
            leftSection={<Icon size={15} />}
            rightSection={value === colorScheme ? <Check size={14} aria-label="current" /> : undefined}
            onClick={() => setColorScheme(value)}
          >
            {label}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<LogOut size={15} />} onClick={() => void leave()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
