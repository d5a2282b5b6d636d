import { Alert, Button, Modal } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useNavigate } from 'react-router'
import { formFault, type Refused, useAction } from '../../../api/useAction.ts'
import classes from '../../../endpoints/dialogs.module.css'
import { CreateEndpoint } from '../../../endpoints/documents.ts'
import { DEFAULT_EVENTS } from '../../../endpoints/eventTypes.ts'
import { SecretPanel } from '../../../endpoints/SecretPanel.tsx'
import { urlFault } from '../../../endpoints/webhookUrl.ts'
import { FormFault } from '../../../ui/forms/FormFault.tsx'
import { useWorkspace } from '../../../viewer/workspace.ts'
import { ENDPOINT_PATHS, type EndpointDraft, EndpointFields } from '../EndpointFields.tsx'

interface AddEndpointProps {
  readonly onAdded: () => void
  readonly onClose: () => void
}

interface Added {
  readonly id: string
  readonly url: string
  readonly secret: string
  readonly isNew: boolean
}

const EMPTY: EndpointDraft = {
  url: '',
  description: '',
  events: DEFAULT_EVENTS,
  maxInFlight: 10,
  ordering: 'RELAXED',
}

/** The form, then the signing secret, which is left by a button only. */
export function AddEndpoint({ onAdded, onClose }: AddEndpointProps) {
  const { isDevelopment, path } = useWorkspace()
  const navigate = useNavigate()
  const [draft, setDraft] = useState(EMPTY)
  const [refused, setRefused] = useState<Refused | null>(null)
  const [added, setAdded] = useState<Added | null>(null)
  const [run, isRunning] = useAction(CreateEndpoint, { toast: false })

  async function submit(event: FormEvent) {
    event.preventDefault()
    if (urlFault(draft.url, isDevelopment) !== null) return
    const outcome = await run({ input: draft })
    setRefused(outcome.ok ? null : outcome)
    if (!outcome.ok) return
    const { endpoint, secret, isNew } = outcome.payload
    setAdded({ id: endpoint.id, url: endpoint.url, secret, isNew })
    onAdded()
  }

  if (added !== null) {
    return (
      <Modal
        opened
        onClose={onClose}
        size="lg"
        title="Copy the signing secret"
        withCloseButton={false}
        closeOnEscape={false}
        closeOnClickOutside={false}
      >
        <SecretPanel
          url={added.url}
          secret={added.secret}
          note={
            !added.isNew && (
              <Alert color="blue">
                The workspace had this URL already. This is that endpoint’s secret; it is enabled.
              </Alert>
            )
          }
          onSaved={() => {
            onClose()
            void navigate(path(`settings/webhooks/${added.id}`))
          }}
        />
      </Modal>
    )
  }
  return (
    <Modal opened onClose={onClose} size="lg" title="Add Endpoint">
      <form className={classes.form} onSubmit={(event) => void submit(event)} noValidate>
        <EndpointFields draft={draft} onChange={setDraft} refused={refused} />
        <FormFault message={formFault(refused, ENDPOINT_PATHS)} />
        <div className={classes.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={isRunning} disabled={urlFault(draft.url, isDevelopment) !== null}>
            Add Endpoint
          </Button>
        </div>
      </form>
    </Modal>
  )
}
