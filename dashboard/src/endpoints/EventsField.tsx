import { Checkbox } from '@mantine/core'
import classes from './EventsField.module.css'
import { type EventFlags, SUBSCRIPTIONS } from './eventTypes.ts'

interface EventsFieldProps {
  readonly value: EventFlags
  readonly onChange: (value: EventFlags) => void
}

const every = (is: boolean): EventFlags => ({
  onMessageCreated: is,
  onConversationCreated: is,
  onConversationClosed: is,
  onConversationAssigned: is,
})

/** Which events are sent, each with what it means. */
export function EventsField({ value, onChange }: EventsFieldProps) {
  const chosen = SUBSCRIPTIONS.filter(({ flag }) => value[flag]).length
  const isAll = chosen === SUBSCRIPTIONS.length
  return (
    <fieldset className={classes.events}>
      <legend className={classes.legend}>Events</legend>
      <Checkbox
        label="All events"
        checked={isAll}
        indeterminate={chosen > 0 && !isAll}
        onChange={() => onChange(every(!isAll))}
      />
      {SUBSCRIPTIONS.map(({ flag, name, description }) => (
        <Checkbox
          key={flag}
          classNames={{ root: classes.one ?? '', label: classes.name ?? '' }}
          label={name}
          description={description}
          checked={value[flag]}
          onChange={(event) => onChange({ ...value, [flag]: event.currentTarget.checked })}
        />
      ))}
      {chosen === 0 && <p className={classes.none}>Without events, only tests are sent.</p>}
    </fieldset>
  )
}
