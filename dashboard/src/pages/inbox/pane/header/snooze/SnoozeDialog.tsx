import { Button, Modal, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import classes from './SnoozeMenu.module.css'
import { localInputValue, snoozeTimes } from './snoozeTimes.ts'

interface SnoozeDialogProps {
  readonly onClose: () => void
  readonly onSnooze: (until: Date) => void
}

/** A time of one's own, in the browser's time zone. */
export default function SnoozeDialog({ onClose, onSnooze }: SnoozeDialogProps) {
  const now = new Date()
  const [chosen, setChosen] = useState(() => localInputValue(snoozeTimes(now)[1]?.at ?? now))
  const at = new Date(chosen)
  const isFuture = at.getTime() > now.getTime()

  function submit(event: FormEvent) {
    event.preventDefault()
    if (!isFuture) return
    onClose()
    onSnooze(at)
  }

  return (
    <Modal opened onClose={onClose} title="Snooze until" size="xs">
      <form className={classes.own} onSubmit={submit}>
        <TextInput
          type="datetime-local"
          label="Reopen at"
          description="Or earlier, if the visitor writes."
          min={localInputValue(now)}
          value={chosen}
          error={isFuture ? null : 'Choose a time in the future'}
          onChange={(event) => setChosen(event.currentTarget.value)}
        />
        <Button type="submit" disabled={!isFuture}>
          Snooze
        </Button>
      </form>
    </Modal>
  )
}
