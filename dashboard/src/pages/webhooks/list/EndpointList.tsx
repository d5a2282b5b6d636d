import { Alert, Button } from '@mantine/core'
import { Lock, Plus, Webhook } from 'lucide-react'
import { useState } from 'react'
import { useQuery } from 'urql'
import { useDeliveryFeed } from '../../../deliveries/useDeliveryFeed.ts'
import { Endpoints } from '../../../endpoints/documents.ts'
import { Page } from '../../../ui/layout/Page.tsx'
import { EmptyState } from '../../../ui/states/EmptyState.tsx'
import { Failure } from '../../../ui/states/Failure.tsx'
import { Loading } from '../../../ui/states/Loading.tsx'
import { WhomToAsk } from '../../../viewer/NotAllowed.tsx'
import { usePermissions } from '../../../viewer/permissions.ts'
import { AddEndpoint } from './AddEndpoint.tsx'
import classes from './EndpointList.module.css'
import { EndpointRow } from './EndpointRow.tsx'
import { UnregisteredList } from './UnregisteredList.tsx'

export function EndpointList() {
  const { mayManage } = usePermissions()
  const [cursors, setCursors] = useState<readonly string[]>([])
  const [isAdding, setAdding] = useState(false)
  const [{ data, error }, reload] = useQuery({ query: Endpoints, variables: { after: cursors.at(-1) ?? null } })
  const again = () => reload({ requestPolicy: 'network-only' })
  useDeliveryFeed(undefined, { onHealth: again })
  const endpoints = data?.webhookEndpoints?.edges.map(({ node }) => node) ?? []
  const agents = new Map(data?.agents?.edges.map(({ node }) => [node.id, node]))
  const page = data?.webhookEndpoints?.pageInfo
  const add = mayManage && (
    <Button leftSection={<Plus size={16} aria-hidden />} onClick={() => setAdding(true)}>
      Add Endpoint
    </Button>
  )
  return (
    <Page
      wide
      title="Webhooks"
      description="The URLs that receive the events of this workspace, and all deliveries."
      actions={endpoints.length > 0 && add}
    >
      {!mayManage && (
        <Alert mb="md" color="gray" icon={<Lock size={16} />}>
          You can view endpoints and deliveries. Only owners and admins can change them. <WhomToAsk />
        </Alert>
      )}
      {page === undefined && error !== undefined && <Failure error={error} onRetry={again} />}
      {page === undefined && error === undefined && <Loading lines={4} height={64} />}
      {data !== undefined && endpoints.length === 0 && (
        <EmptyState icon={Webhook} title="No endpoints yet" actions={add}>
          An endpoint is a URL that receives a signed POST for each event: a new message, or a conversation that is
          started, assigned or closed. Installing an agent adds its endpoint automatically.
        </EmptyState>
      )}
      {endpoints.length > 0 && (
        <ul className={classes.list} aria-label="Endpoints">
          {endpoints.map((endpoint) => (
            <EndpointRow key={endpoint.id} endpoint={endpoint} agent={agents.get(endpoint.agentId ?? '')} />
          ))}
        </ul>
      )}
      {(cursors.length > 0 || page?.hasNextPage) && (
        <nav className={classes.pager} aria-label="Pages">
          <Button variant="default" disabled={cursors.length === 0} onClick={() => setCursors(cursors.slice(0, -1))}>
            Previous
          </Button>
          <Button
            variant="default"
            disabled={!page?.hasNextPage}
            onClick={() => setCursors([...cursors, page?.endCursor ?? ''])}
          >
            Next
          </Button>
        </nav>
      )}
      {data?.unregisteredWebhookEndpoints != null && (
        <UnregisteredList
          endpoints={data.unregisteredWebhookEndpoints}
          nameOf={(agentId) => agents.get(agentId)?.name}
          onRemoved={again}
        />
      )}
      {isAdding && <AddEndpoint onAdded={again} onClose={() => setAdding(false)} />}
    </Page>
  )
}
