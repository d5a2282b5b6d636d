import { ActionIcon, Button, Menu, TextInput } from '@mantine/core'
import { useDisclosure, useHotkeys } from '@mantine/hooks'
import { AlarmClock, AlarmClockOff } from 'lucide-react'
import { useState } from 'react'
import classes from './SnoozeMenu.module.css'
import { localInputValue, snoozeTimes } from './snoozeTimes.ts'

const when = new Intl.DateTimeFormat(undefined, { weekday: 'short', hour: '2-digit', minute: '2-digit' })

interface SnoozeMenuProps {
  readonly isSnoozed: boolean
  readonly onSnooze: (until: Date) => void
  readonly onWake: () => void
}

export function SnoozeMenu({ isSnoozed, onSnooze, onWake }: SnoozeMenuProps) {
  const [isOpen, menu] = useDisclosure()
  const [chosen, setChosen] = useState('')
  const now = new Date()
  const at = new Date(chosen)
  const isFuture = at.getTime() > now.getTime()
  useHotkeys([['s', menu.open]])

  return (
    <Menu width={250} position="bottom-end" opened={isOpen} onChange={(open) => (open ? menu.open() : menu.close())}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label="Snooze">
          <AlarmClock size={16} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Come back</Menu.Label>
        {snoozeTimes(now).map(({ label, at: time }) => (
          <Menu.Item
            key={label}
            rightSection={<span className={classes.when}>{when.format(time)}</span>}
            onClick={() => onSnooze(time)}
          >
            {label}
          </Menu.Item>
        ))}
        {isSnoozed && (
          <Menu.Item leftSection={<AlarmClockOff size={15} aria-hidden />} onClick={onWake}>
            Now
          </Menu.Item>
        )}
        <Menu.Divider />
        <form
          className={classes.own}
          onSubmit={(event) => {
            event.preventDefault()
            if (!isFuture) return
            menu.close()
            onSnooze(at)
          }}
        >
          <TextInput
            type="datetime-local"
            size="xs"
            label="At another time"
            min={localInputValue(now)}
            value={chosen}
            onChange={(event) => setChosen(event.currentTarget.value)}
          />
          <Button type="submit" size="xs" disabled={!isFuture}>
            Snooze
          </Button>
        </form>
      </Menu.Dropdown>
    </Menu>
  )
}
