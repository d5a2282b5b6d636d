import { Button, Modal } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useNavigate } from 'react-router'
import { formFault, type Refused, useAction } from '../../api/useAction.ts'
import { FormFault } from '../../ui/forms/FormFault.tsx'
import classes from '../../ui/forms/form.module.css'
import { useWorkspace } from '../../viewer/workspace.ts'
import { AgentFormFields } from './AgentFormFields.tsx'
import { AGENT_PATHS, inputOf, isComplete, NEW_AGENT } from './agentDraft.ts'
import { type Credentials, CredentialsPanel } from './CredentialsPanel.tsx'
import { InstallAgent } from './documents.ts'

interface InstallAgentDialogProps {
  readonly onInstalled: () => void
  readonly onClose: () => void
}

/** The form, then the credentials, which stay until somebody says that they are saved. */
export function InstallAgentDialog({ onInstalled, onClose }: InstallAgentDialogProps) {
  const { isDevelopment, path } = useWorkspace()
  const navigate = useNavigate()
  const [draft, setDraft] = useState(NEW_AGENT)
  const [refused, setRefused] = useState<Refused | null>(null)
  const [made, setMade] = useState<Credentials | null>(null)
  const [run, isRunning] = useAction(InstallAgent, { toast: false })
  const isShown = made !== null

  async function submit(event: FormEvent) {
    event.preventDefault()
    if (!isComplete(draft, isDevelopment)) return
    const outcome = await run({ input: inputOf(draft) })
    setRefused(outcome.ok ? null : outcome)
    if (!outcome.ok) return
    const { agent, key: apiKey, secret: webhookSecret } = outcome.payload
    setMade({ agent, apiKey, webhookSecret })
    onInstalled()
  }

  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={isShown ? `${made.agent.name} is installed` : 'Install Agent'}
      withCloseButton={!isShown}
      closeOnEscape={!isShown}
      closeOnClickOutside={!isShown}
    >
      {isShown ? (
        <CredentialsPanel
          credentials={made}
          onSaved={() => {
            onClose()
            void navigate(path(`settings/agents/${made.agent.id}`))
          }}
        />
      ) : (
        <form className={classes.form} onSubmit={(event) => void submit(event)} noValidate>
          <AgentFormFields draft={draft} onChange={setDraft} refused={refused} />
          <FormFault message={formFault(refused, AGENT_PATHS)} />
          <div className={classes.actions}>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={isRunning} disabled={!isComplete(draft, isDevelopment)}>
              Install Agent
            </Button>
          </div>
        </form>
      )}
    </Modal>
  )
}
