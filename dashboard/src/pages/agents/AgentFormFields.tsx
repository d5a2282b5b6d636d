import { Checkbox, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { fieldFault, type Refused } from '../../api/useAction.ts'
import { EventsField } from '../../endpoints/EventsField.tsx'
import { urlFault } from '../../endpoints/webhookUrl.ts'
import classes from '../../ui/forms/form.module.css'
import { useWorkspace } from '../../viewer/workspace.ts'
import { type AgentDraft, configFault, linkFault, NEW_AGENT } from './agentDraft.ts'

interface AgentFormFieldsProps {
  readonly draft: AgentDraft
  readonly onChange: (draft: AgentDraft) => void
  readonly refused: Refused | null
}

export function AgentFormFields({ draft, onChange, refused }: AgentFormFieldsProps) {
  const { isDevelopment } = useWorkspace()
  // What has a value already is shown; a new agent needs none of it.
  const [isOpen, setOpen] = useState(draft !== NEW_AGENT)
  const [isUrlTouched, setUrlTouched] = useState(false)
  const set = (change: Partial<AgentDraft>) => onChange({ ...draft, ...change })
  return (
    <>
      <TextInput
        label="Name"
        description="Visitors see it next to the replies."
        data-autofocus
        maxLength={100}
        value={draft.name}
        error={fieldFault(refused, 'name')}
        onChange={(event) => set({ name: event.currentTarget.value })}
      />
      <Textarea
        label="Description"
        placeholder="What it does, for your team"
        rows={2}
        value={draft.description}
        error={fieldFault(refused, 'description')}
        onChange={(event) => set({ description: event.currentTarget.value })}
      />
      <TextInput
        label="Webhook URL"
        description={isDevelopment ? 'Use https://. For this machine, http:// also works.' : 'Use https://.'}
        placeholder="https://your-agent.com/webhook"
        type="url"
        inputMode="url"
        autoComplete="off"
        spellCheck={false}
        value={draft.webhookUrl}
        error={(isUrlTouched && urlFault(draft.webhookUrl, isDevelopment)) || fieldFault(refused, 'webhookUrl')}
        onBlur={() => draft.webhookUrl !== '' && setUrlTouched(true)}
        onChange={(event) => {
          if (event.currentTarget.value.includes('://')) setUrlTouched(true)
          set({ webhookUrl: event.currentTarget.value })
        }}
      />
      <EventsField value={draft.events} onChange={(events) => set({ events })} />
      <Checkbox
        label="Ignore its own events"
        description="Replies and changes of the agent are not sent back to it."
        checked={draft.ignoreOwnEvents}
        onChange={(event) => set({ ignoreOwnEvents: event.currentTarget.checked })}
      />
      <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary className={classes.more}>Icon, creator and configuration</summary>
        <div className={classes.form}>
          <TextInput
            label="Icon URL"
            type="url"
            value={draft.iconUrl}
            error={linkFault(draft.iconUrl) ?? fieldFault(refused, 'iconUrl')}
            onChange={(event) => set({ iconUrl: event.currentTarget.value })}
          />
          <TextInput
            label="Creator"
            value={draft.creatorName}
            error={fieldFault(refused, 'creatorName')}
            onChange={(event) => set({ creatorName: event.currentTarget.value })}
          />
          <TextInput
            label="Creator’s website"
            type="url"
            value={draft.creatorUrl}
            error={linkFault(draft.creatorUrl) ?? fieldFault(refused, 'creatorUrl')}
            onChange={(event) => set({ creatorUrl: event.currentTarget.value })}
          />
          <Textarea
            label="Configuration"
            description="A JSON object of up to 16 kB that the agent reads over the API. Visible to the whole team: do not store secrets."
            rows={4}
            spellCheck={false}
            styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
            value={draft.config}
            error={configFault(draft.config) ?? fieldFault(refused, 'config')}
            onChange={(event) => set({ config: event.currentTarget.value })}
          />
        </div>
      </details>
    </>
  )
}
