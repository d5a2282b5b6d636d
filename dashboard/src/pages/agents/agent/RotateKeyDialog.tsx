import { Alert, Button, Modal, Select } from '@mantine/core'
import { EyeOff } from 'lucide-react'
import { useState } from 'react'
import { useAction } from '../../../api/useAction.ts'
import { OVERLAPS } from '../../../endpoints/RotateSecretDialog.tsx'
import type { AgentFieldsFragment } from '../../../generated/documents.ts'
import { CopyField } from '../../../ui/copy/CopyField.tsx'
import { FormFault } from '../../../ui/forms/FormFault.tsx'
import classes from '../../../ui/forms/form.module.css'
import { useStay } from '../../../ui/forms/useStay.ts'
import { RotateAgentApiKey } from '../documents.ts'

interface RotateKeyDialogProps {
  readonly agent: AgentFieldsFragment
  readonly onClose: () => void
}

export function RotateKeyDialog({ agent, onClose }: RotateKeyDialogProps) {
  const [overlap, setOverlap] = useState('24')
  const [key, setKey] = useState<string | null>(null)
  const [fault, setFault] = useState<string | null>(null)
  const [run, isRunning] = useAction(RotateAgentApiKey, { toast: false })
  const isShown = key !== null

  async function rotate() {
    const outcome = await run({ input: { agentId: agent.id, overlapHours: Number(overlap) } })
    setFault(outcome.ok ? null : outcome.message)
    if (outcome.ok) setKey(outcome.payload.key)
  }

  return (
    <Modal
      opened
      onClose={onClose}
      title={isShown ? 'Save the new API key' : 'Rotate the API key'}
      withCloseButton={!isShown}
      closeOnEscape={!isShown}
      closeOnClickOutside={!isShown}
    >
      {isShown ? (
        <NewKey value={key} onSaved={onClose} />
      ) : (
        <div className={classes.form}>
          <div>{agent.name} gets a new key. The old one works until the overlap ends, then it is refused.</div>
          <Select
            label="Overlap"
            description="Time to give the agent the new key."
            data={OVERLAPS}
            allowDeselect={false}
            value={overlap}
            onChange={(value) => setOverlap(value ?? '24')}
          />
          {overlap === '0' && <Alert color="red">The agent cannot reply until it has the new key.</Alert>}
          <FormFault message={fault} />
          <div className={classes.actions}>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button color={overlap === '0' ? 'red' : 'indigo'} loading={isRunning} onClick={() => void rotate()}>
              Rotate API key
            </Button>
          </div>
        </div>
      )}
    </Modal>
  )
}

function NewKey({ value, onSaved }: { readonly value: string; readonly onSaved: () => void }) {
  const letGo = useStay()
  return (
    <div className={classes.form}>
      <Alert color="yellow" variant="light" icon={<EyeOff size={16} />}>
        This key is shown only once.
      </Alert>
      <CopyField label="API key" value={value} />
      <div className={classes.actions}>
        <Button
          onClick={() => {
            letGo()
            onSaved()
          }}
        >
          I have saved it
        </Button>
      </div>
    </div>
  )
}
