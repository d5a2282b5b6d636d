import { useMantineColorScheme } from '@mantine/core'
import {
  openSpotlight,
  Spotlight,
  type SpotlightActionData,
  type SpotlightActionGroupData,
  toggleSpotlight,
} from '@mantine/spotlight'
import { CircleUser, Keyboard, Moon, Search, Settings, Sun } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useNavigate } from 'react-router'
import { INBOX_VIEWS, OPERATIONS, type Place, SETTINGS } from '../../viewer/navigation.ts'
import { useWorkspace } from '../../viewer/workspace.ts'
import { onOverlay, openOverlay } from './overlays.ts'

/** ⌘K: every place, and what can be done from anywhere. Mounted when it is first wanted, so it begins open. */
export default function CommandPalette() {
  useEffect(() => {
    openSpotlight()
    return onOverlay((which) => which === 'palette' && toggleSpotlight())
  }, [])
  const [query, setQuery] = useState('')
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
    {
      group: 'Settings',
      actions: [...SETTINGS, { label: 'Workspace Settings', path: 'settings', icon: Settings }].map(go),
    },
    {
      group: 'Yourself',
      actions: [
        go({ label: 'Profile', path: 'profile', icon: CircleUser, keywords: ['password', 'name'] }),
        act('light', 'Light theme', Sun, () => setColorScheme('light')),
        act('dark', 'Dark theme', Moon, () => setColorScheme('dark')),
        act('shortcuts', 'Keyboard shortcuts', Keyboard, () => openOverlay('shortcuts')),
      ],
    },
  ]
  return (
    <Spotlight
      actions={groups}
      // The shell listens for it, also before this is loaded.
      shortcut={null}
      highlightQuery
      scrollable
      maxHeight={420}
      lockScroll={false}
      attributes={{ content: { 'aria-label': 'Command palette' } }}
      overlayProps={{ blur: 0, backgroundOpacity: 0.4 }}
      query={query}
      onQueryChange={setQuery}
      nothingFound={`No results for “${query}”`}
      searchProps={{
        leftSection: <Search size={16} aria-hidden />,
        placeholder: 'Search or jump to…',
        'aria-label': 'Search for a place or a command',
      }}
    />
  )
}

function act(id: string, label: string, Icon: typeof Sun, onClick: () => void): SpotlightActionData {
  return { id, label, leftSection: <Icon size={16} aria-hidden />, onClick }
}
