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
  { value: 'RELAXED', label: 'Relaxed: later events do not wait for the retries of a failed event' },
  { value: 'STRICT', label: 'Strict: the next event of a conversation waits for the retries, up to a limit' },
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
        description={isDevelopment ? 'Use https://. For this machine, http:// also works.' : 'Use https://.'}
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
        placeholder="Purpose and owner"
        autosize={false}
        rows={2}
        maxLength={500}
        value={draft.description}
        error={fieldFault(refused, 'description')}
        onChange={(event) => set({ description: event.currentTarget.value })}
      />
      <EventsField value={draft.events} onChange={(events) => set({ events })} />
      <NumberInput
        label="Concurrent requests"
        description="The maximum number of requests in flight to the endpoint."
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
