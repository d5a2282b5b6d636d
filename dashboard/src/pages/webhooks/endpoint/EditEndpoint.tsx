import { Button, Modal } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { formFault, type Refused, useAction } from '../../../api/useAction.ts'
import classes from '../../../endpoints/dialogs.module.css'
import { UpdateEndpoint } from '../../../endpoints/documents.ts'
import { urlFault } from '../../../endpoints/webhookUrl.ts'
import type { EndpointFieldsFragment } from '../../../generated/documents.ts'
import { FormFault } from '../../../ui/forms/FormFault.tsx'
import { useWorkspace } from '../../../viewer/workspace.ts'
import { ENDPOINT_PATHS, type EndpointDraft, EndpointFields } from '../EndpointFields.tsx'

interface EditEndpointProps {
  readonly endpoint: EndpointFieldsFragment
  readonly onClose: () => void
}

export function EditEndpoint({ endpoint, onClose }: EditEndpointProps) {
  const { isDevelopment } = useWorkspace()
  const [draft, setDraft] = useState<EndpointDraft>(() => ({
    url: endpoint.url,
    description: endpoint.description ?? '',
    events: endpoint.events,
    maxInFlight: endpoint.maxInFlight,
    ordering: endpoint.ordering,
  }))
  const [refused, setRefused] = useState<Refused | null>(null)
  const [run, isRunning] = useAction(UpdateEndpoint, { toast: false })

  async function submit(event: FormEvent) {
    event.preventDefault()
    if (urlFault(draft.url, isDevelopment) !== null) return
    const outcome = await run({ input: { endpointId: endpoint.id, ...draft } })
    setRefused(outcome.ok ? null : outcome)
    if (outcome.ok) onClose()
  }

  return (
    <Modal opened onClose={onClose} size="lg" title="Edit endpoint">
      <form className={classes.form} onSubmit={(event) => void submit(event)} noValidate>
        <EndpointFields draft={draft} onChange={setDraft} refused={refused} />
        <FormFault message={formFault(refused, ENDPOINT_PATHS)} />
        <div className={classes.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={isRunning} disabled={urlFault(draft.url, isDevelopment) !== null}>
            Save
          </Button>
        </div>
      </form>
    </Modal>
  )
}
