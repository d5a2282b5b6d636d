import { Checkbox } from '@mantine/core'
import type { SubscribableEvent } from '../generated/documents.ts'
import classes from './EventsField.module.css'
import { eventName, SUBSCRIPTIONS } from './eventTypes.ts'

interface EventsFieldProps {
  readonly value: readonly SubscribableEvent[]
  readonly onChange: (value: readonly SubscribableEvent[]) => void
}

const ALL = SUBSCRIPTIONS.map(({ type }) => type)

/** Which events are sent, each with what it means. */
export function EventsField({ value, onChange }: EventsFieldProps) {
  const chosen = value.length
  const isAll = chosen === SUBSCRIPTIONS.length
  return (
    <fieldset className={classes.events}>
      <legend className={classes.legend}>Events</legend>
      <Checkbox
        label="All events"
        checked={isAll}
        indeterminate={chosen > 0 && !isAll}
        onChange={() => onChange(isAll ? [] : ALL)}
      />
      {SUBSCRIPTIONS.map(({ type, description }) => (
        <Checkbox
          key={type}
          classNames={{ root: classes.one ?? '', label: classes.name ?? '' }}
          label={eventName(type)}
          description={description}
          checked={value.includes(type)}
          onChange={(event) =>
            onChange(ALL.filter((each) => (each === type ? event.currentTarget.checked : value.includes(each))))
          }
        />
      ))}
      {chosen === 0 && <p className={classes.none}>No events selected: the endpoint receives only test events.</p>}
    </fieldset>
  )
}
