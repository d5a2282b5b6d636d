import { useState } from 'react'
import { useNavigate } from 'react-router'
import { useAction } from '../../api/useAction.ts'
import { DeleteEndpoint } from '../../endpoints/documents.ts'
import { hostOf } from '../../endpoints/webhookUrl.ts'
import type { EndpointFieldsFragment } from '../../generated/documents.ts'
import { TypeToConfirm } from '../../ui/forms/TypeToConfirm.tsx'
import { useWorkspace } from '../../viewer/workspace.ts'

interface DeleteEndpointDialogProps {
  readonly endpoint: Pick<EndpointFieldsFragment, 'id' | 'url' | 'agentId'>
  readonly onDeleted?: () => void
  readonly onClose: () => void
}

export function DeleteEndpointDialog({ endpoint, onDeleted, onClose }: DeleteEndpointDialogProps) {
  const { path } = useWorkspace()
  const navigate = useNavigate()
  const [fault, setFault] = useState<string | null>(null)
  const [run, isRunning] = useAction(DeleteEndpoint, { toast: false })
  async function remove() {
    const outcome = await run({ input: { endpointId: endpoint.id } })
    setFault(outcome.ok ? null : outcome.message)
    if (!outcome.ok) return
    onDeleted?.()
    onClose()
    void navigate(path('settings/webhooks'))
  }
  return (
    <TypeToConfirm
      title="Delete this endpoint"
      name={hostOf(endpoint.url)}
      action="Delete endpoint"
      isRunning={isRunning}
      fault={fault}
      onConfirm={() => void remove()}
      onClose={onClose}
    >
      <p>
        GudDesk sends nothing more to {endpoint.url}, including pending deliveries. Its deliveries and its secret are
        permanently deleted. To pause it, disable it instead.
      </p>
      {endpoint.agentId !== null && <p>It belongs to an agent, which receives no events without it.</p>}
    </TypeToConfirm>
  )
}
