import { Button, Select } from '@mantine/core'
import { Pause, Play, Radio } from 'lucide-react'
import { useState } from 'react'
import { useSearchParams } from 'react-router'
import { eventName } from '../../../endpoints/eventTypes.ts'
import type { EventType } from '../../../generated/documents.ts'
import { EmptyState } from '../../../ui/states/EmptyState.tsx'
import { EventDialog } from './EventDialog.tsx'
import { EventRows } from './EventRows.tsx'
import classes from './EventStream.module.css'
import { KEPT_EVENTS, type LiveEvent, useEventStream } from './useEventStream.ts'

const TYPES: readonly EventType[] = [
  'MESSAGE_CREATED',
  'CONVERSATION_CREATED',
  'CONVERSATION_CLOSED',
  'CONVERSATION_ASSIGNED',
  'CONVERSATION_UPDATED',
  'NOTE_CREATED',
  'VISITOR_UPDATED',
  'ENDPOINT_DISABLED',
  'PING',
]

/** Every event of the workspace's log as it is written, the newest on top. */
export function EventStream() {
  const [params, setParams] = useSearchParams()
  const type = TYPES.find((each) => each === params.get('type')) ?? null
  const { events, count, isPaused, pause, resume } = useEventStream(type)
  const [opened, setOpened] = useState<LiveEvent | null>(null)
  return (
    <section aria-label="Events">
      <header className={classes.header}>
        <h2 className={classes.title}>Events</h2>
        <span className={classes.count}>
          {count.toLocaleString()} since you opened this
          {count > KEPT_EVENTS && `, the last ${KEPT_EVENTS.toLocaleString()} shown`}
        </span>
        <Select
          size="xs"
          className={classes.filter ?? ''}
          aria-label="Event"
          placeholder="Any event"
          clearable
          data={TYPES.map((value) => ({ value, label: eventName(value) }))}
          value={type}
          onChange={(value) =>
            setParams(
              (now) => {
                if (value === null) now.delete('type')
                else now.set('type', value)
                return now
              },
              { replace: true },
            )
          }
        />
        <Button
          size="xs"
          variant="default"
          leftSection={isPaused ? <Play size={14} aria-hidden /> : <Pause size={14} aria-hidden />}
          onClick={isPaused ? resume : pause}
        >
          {isPaused ? 'Resume' : 'Pause'}
        </Button>
      </header>
      {events.length === 0 ? (
        <EmptyState icon={Radio} title={isPaused ? 'Paused' : 'Waiting for events'}>
          {isPaused
            ? 'New events appear when you resume.'
            : 'Events appear here as they happen: messages, notes and changes of conversations.'}
        </EmptyState>
      ) : (
        <EventRows events={events} onOpen={setOpened} />
      )}
      {opened !== null && <EventDialog event={opened} onClose={() => setOpened(null)} />}
    </section>
  )
}
