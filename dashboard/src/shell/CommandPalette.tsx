import { useMantineColorScheme } from '@mantine/core'
import { Spotlight, type SpotlightActionData, type SpotlightActionGroupData } from '@mantine/spotlight'
import { CircleUser, Keyboard, Moon, Search, Sun } from 'lucide-react'
import { useNavigate } from 'react-router'
import { INBOX_VIEWS, OPERATIONS, type Place, SETTINGS } from './navigation.ts'
import { openShortcuts } from './ShortcutsHelp.tsx'
import { useWorkspace } from './workspace.ts'

/** ⌘K: every place, and what can be done from anywhere. */
export function CommandPalette() {
  const { path } = useWorkspace()
  const navigate = useNavigate()
  const { setColorScheme } = useMantineColorScheme({ keepTransitions: true })
  const go = ({ label, path: below, icon: Icon, keywords = [] }: Place): SpotlightActionData => ({
    id: below,
    label,
    keywords: [...keywords],
    leftSection: <Icon size={16} aria-hidden />,
    onClick: () => void navigate(path(below)),
  })
  const groups: SpotlightActionGroupData[] = [
    { group: 'Inbox', actions: INBOX_VIEWS.map(go) },
    { group: 'Operations', actions: OPERATIONS.map(go) },
    { group: 'Settings', actions: SETTINGS.map(go) },
    {
      group: 'Yourself',
      actions: [
        go({ label: 'Profile', path: 'profile', icon: CircleUser, keywords: ['password', 'name'] }),
        act('light', 'Light theme', Sun, () => setColorScheme('light')),
        act('dark', 'Dark theme', Moon, () => setColorScheme('dark')),
        act('shortcuts', 'Keyboard shortcuts', Keyboard, openShortcuts),
      ],
    },
  ]
  return (
    <Spotlight
      actions={groups}
      shortcut="mod + K"
      highlightQuery
      scrollable
      maxHeight={420}
      lockScroll={false}
      overlayProps={{ blur: 0, backgroundOpacity: 0.4 }}
      nothingFound="Nothing of that name"
      searchProps={{
        leftSection: <Search size={16} aria-hidden />,
        placeholder: 'Where to?',
        'aria-label': 'Search for a place or a command',
      }}
    />
  )
}

function act(id: string, label: string, Icon: typeof Sun, onClick: () => void): SpotlightActionData {
  return { id, label, leftSection: <Icon size={16} aria-hidden />, onClick }
}
