import { NumberInput, Select, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { fieldFault, type Refused } from '../../api/useAction.ts'
import { EventsField } from '../../endpoints/EventsField.tsx'
import { urlFault } from '../../endpoints/webhookUrl.ts'
import type { EndpointOrdering, SubscribableEvent } from '../../generated/documents.ts'
import { useWorkspace } from '../../viewer/workspace.ts'

/** What somebody has typed. */
export interface EndpointDraft {
  readonly url: string
  readonly description: string
  readonly events: readonly SubscribableEvent[]
  readonly maxInFlight: number
  readonly ordering: EndpointOrdering
}

export const ENDPOINT_PATHS = ['url', 'description', 'maxInFlight']

const ORDERINGS = [
  { value: 'RELAXED', label: 'Relaxed: a failed event is tried again later, the next ones go on' },
  { value: 'STRICT', label: 'Strict: a conversation’s next event waits for the retries, for a bounded time' },
]

interface EndpointFieldsProps {
  readonly draft: EndpointDraft
  readonly onChange: (draft: EndpointDraft) => void
  readonly refused: Refused | null
}

export function EndpointFields({ draft, onChange, refused }: EndpointFieldsProps) {
  const { isDevelopment } = useWorkspace()
  const [isTouched, setTouched] = useState(false)
  const set = (change: Partial<EndpointDraft>) => onChange({ ...draft, ...change })
  const typedFault = urlFault(draft.url, isDevelopment)
  return (
    <>
      <TextInput
        label="Endpoint URL"
        description={
          isDevelopment
            ? 'http:// is fine for this machine; elsewhere it has to be https://.'
            : 'It has to be https://.'
        }
        placeholder="https://your-agent.com/webhook"
        type="url"
        inputMode="url"
        autoComplete="off"
        spellCheck={false}
        data-autofocus
        value={draft.url}
        error={(isTouched && typedFault) || fieldFault(refused, 'url')}
        onBlur={() => draft.url !== '' && setTouched(true)}
        onChange={(event) => {
          // While the beginning is typed nothing is wrong yet.
          if (event.currentTarget.value.includes('://')) setTouched(true)
          set({ url: event.currentTarget.value })
        }}
      />
      <Textarea
        label="Description"
        placeholder="What it is for, and who looks after it"
        autosize={false}
        rows={2}
        maxLength={500}
        value={draft.description}
        error={fieldFault(refused, 'description')}
        onChange={(event) => set({ description: event.currentTarget.value })}
      />
      <EventsField value={draft.events} onChange={(events) => set({ events })} />
      <NumberInput
        label="Requests at once"
        description="At most so many are on their way to it at the same time."
        min={1}
        max={100}
        allowDecimal={false}
        clampBehavior="blur"
        value={draft.maxInFlight}
        error={fieldFault(refused, 'maxInFlight')}
        onChange={(value) => set({ maxInFlight: typeof value === 'number' ? value : Number.parseInt(value, 10) || 1 })}
      />
      <Select
        label="Order within a conversation"
        data={ORDERINGS}
        allowDeselect={false}
        value={draft.ordering}
        onChange={(value) => set({ ordering: value === 'STRICT' ? 'STRICT' : 'RELAXED' })}
      />
    </>
  )
}
