import { useState } from 'react'
import { useNavigate } from 'react-router'
import { useQuery } from 'urql'
import { useAction } from '../../../api/useAction.ts'
import type { AgentFieldsFragment } from '../../../generated/documents.ts'
import { TypeToConfirm } from '../../../ui/forms/TypeToConfirm.tsx'
import { Loading } from '../../../ui/states/Loading.tsx'
import { useWorkspace } from '../../../viewer/workspace.ts'
import { AgentRemoval, UninstallAgent } from '../documents.ts'

interface UninstallAgentDialogProps {
  readonly agent: AgentFieldsFragment
  readonly onClose: () => void
}

/** Tells what would go before it goes. */
export function UninstallAgentDialog({ agent, onClose }: UninstallAgentDialogProps) {
  const { path } = useWorkspace()
  const navigate = useNavigate()
  const [{ data }] = useQuery({
    query: AgentRemoval,
    variables: { id: agent.id },
    requestPolicy: 'network-only',
  })
  const [fault, setFault] = useState<string | null>(null)
  const [run, isRunning] = useAction(UninstallAgent, { toast: false })
  const removal = data?.agentRemoval

  async function uninstall() {
    const outcome = await run({ input: { agentId: agent.id } })
    setFault(outcome.ok ? null : outcome.message)
    if (outcome.ok) void navigate(path('settings/agents'))
  }

  return (
    <TypeToConfirm
      title={`Uninstall ${agent.name}`}
      name={agent.name}
      action="Uninstall"
      isRunning={isRunning}
      fault={fault}
      onConfirm={() => void uninstall()}
      onClose={onClose}
    >
      <p>Uninstalling permanently removes the following. Messages of the agent are kept.</p>
      {removal == null ? (
        <Loading lines={2} height={20} />
      ) : (
        <ul aria-label="Removed with the agent">
          {removal.webhookUrls.map((url) => (
            <li key={url}>the endpoint {url} with its deliveries</li>
          ))}
          {removal.webhookEndpointCount > removal.webhookUrls.length && (
            <li>{(removal.webhookEndpointCount - removal.webhookUrls.length).toLocaleString()} more endpoints</li>
          )}
          {removal.apiKeyPrefixes.map((prefix) => (
            <li key={prefix}>the API key {prefix}…</li>
          ))}
          {removal.pendingDeliveryCount > 0 && (
            <li>
              {removal.pendingDeliveryCount === 1
                ? 'one pending delivery'
                : `${removal.pendingDeliveryCount.toLocaleString()} pending deliveries`}
            </li>
          )}
        </ul>
      )}
    </TypeToConfirm>
  )
}
