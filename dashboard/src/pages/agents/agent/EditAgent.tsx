import { Button, Modal } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { formFault, type Refused, useAction } from '../../../api/useAction.ts'
import type { AgentFieldsFragment } from '../../../generated/documents.ts'
import { FormFault } from '../../../ui/forms/FormFault.tsx'
import classes from '../../../ui/forms/form.module.css'
import { useWorkspace } from '../../../viewer/workspace.ts'
import { AgentFormFields } from '../AgentFormFields.tsx'
import { AGENT_PATHS, draftOf, inputOf, isComplete } from '../agentDraft.ts'
import { UpdateAgent } from '../documents.ts'

interface EditAgentProps {
  readonly agent: AgentFieldsFragment
  readonly onClose: () => void
}

export function EditAgent({ agent, onClose }: EditAgentProps) {
  const { isDevelopment } = useWorkspace()
  const [draft, setDraft] = useState(() => draftOf(agent))
  const [refused, setRefused] = useState<Refused | null>(null)
  const [run, isRunning] = useAction(UpdateAgent, { toast: false })

  async function submit(event: FormEvent) {
    event.preventDefault()
    if (!isComplete(draft, isDevelopment)) return
    const outcome = await run({ input: { agentId: agent.id, ...inputOf(draft) } })
    setRefused(outcome.ok ? null : outcome)
    if (outcome.ok) onClose()
  }

  return (
    <Modal opened onClose={onClose} size="lg" title="Edit agent">
      <form className={classes.form} onSubmit={(event) => void submit(event)} noValidate>
        <AgentFormFields draft={draft} onChange={setDraft} refused={refused} />
        <FormFault message={formFault(refused, AGENT_PATHS)} />
        <div className={classes.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={isRunning} disabled={!isComplete(draft, isDevelopment)}>
            Save
          </Button>
        </div>
      </form>
    </Modal>
  )
}
