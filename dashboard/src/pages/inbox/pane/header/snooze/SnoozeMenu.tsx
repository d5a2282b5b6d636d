import { ActionIcon, Menu } from '@mantine/core'
import { useDisclosure, useHotkeys } from '@mantine/hooks'
import { AlarmClock, AlarmClockOff, CalendarClock } from 'lucide-react'
import { lazy, Suspense } from 'react'
import classes from './SnoozeMenu.module.css'
import { snoozeTimes } from './snoozeTimes.ts'

const SnoozeDialog = lazy(() => import('./SnoozeDialog.tsx'))

const when = new Intl.DateTimeFormat(undefined, { weekday: 'short', hour: '2-digit', minute: '2-digit' })

interface SnoozeMenuProps {
  readonly isSnoozed: boolean
  readonly onSnooze: (until: Date) => void
  readonly onWake: () => void
}

export function SnoozeMenu({ isSnoozed, onSnooze, onWake }: SnoozeMenuProps) {
  const [isOpen, menu] = useDisclosure()
  const [isChoosing, dialog] = useDisclosure()
  useHotkeys([['s', menu.open]])

  return (
    <>
      <Menu width={250} position="bottom-end" opened={isOpen} onChange={(open) => (open ? menu.open() : menu.close())}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label="Snooze">
            <AlarmClock size={16} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {snoozeTimes(new Date()).map(({ label, at }) => (
            <Menu.Item
              key={label}
              rightSection={<span className={classes.when}>{when.format(at)}</span>}
              onClick={() => onSnooze(at)}
            >
              {label}
            </Menu.Item>
          ))}
          <Menu.Item rightSection={<CalendarClock size={15} aria-hidden />} onClick={dialog.open}>
            At another time
          </Menu.Item>
          {isSnoozed && (
            <Menu.Item rightSection={<AlarmClockOff size={15} aria-hidden />} onClick={onWake}>
              Back now
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <Suspense fallback={null}>{isChoosing && <SnoozeDialog onClose={dialog.close} onSnooze={onSnooze} />}</Suspense>
    </>
  )
}
