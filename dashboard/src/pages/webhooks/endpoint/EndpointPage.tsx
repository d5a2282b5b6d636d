import { Button } from '@mantine/core'
import { Webhook } from 'lucide-react'
import { Link, useParams } from 'react-router'
import { useQuery } from 'urql'
import { useDeliveryFeed } from '../../../deliveries/useDeliveryFeed.ts'
import { Endpoint } from '../../../endpoints/documents.ts'
import { placeOf } from '../../../endpoints/webhookUrl.ts'
import { Page } from '../../../ui/layout/Page.tsx'
import { EmptyState } from '../../../ui/states/EmptyState.tsx'
import { Failure } from '../../../ui/states/Failure.tsx'
import { Loading } from '../../../ui/states/Loading.tsx'
import { usePermissions } from '../../../viewer/permissions.ts'
import { useWorkspace } from '../../../viewer/workspace.ts'
import { DeliveryLog } from '../deliveries/DeliveryLog.tsx'
import { EndpointActions } from './EndpointActions.tsx'
import { EndpointFacts } from './EndpointFacts.tsx'
import { EndpointNotices } from './EndpointNotices.tsx'

/** One endpoint: how it is getting on, what can be done with it, and its deliveries as they happen. */
export function EndpointPage() {
  const { endpointId = '' } = useParams()
  const { path } = useWorkspace()
  const { mayManage } = usePermissions()
  const [{ data, error }, reload] = useQuery({ query: Endpoint, variables: { id: endpointId } })
  useDeliveryFeed(endpointId, { onHealth: () => reload({ requestPolicy: 'network-only' }) })
  const endpoint = data?.node?.__typename === 'WebhookEndpoint' ? data.node : null
  const back = { to: path('settings/webhooks'), label: 'Webhooks' }
  if (endpoint === null) {
    return (
      <Page wide title="Endpoint" back={back}>
        {error !== undefined && <Failure error={error} onRetry={() => reload({ requestPolicy: 'network-only' })} />}
        {error === undefined && data === undefined && <Loading lines={6} />}
        {data !== undefined && (
          <EmptyState
            icon={Webhook}
            title="Endpoint not found"
            actions={
              <Button component={Link} to={path('settings/webhooks')}>
                View webhooks
              </Button>
            }
          >
            It was deleted, or belongs to another workspace.
          </EmptyState>
        )}
      </Page>
    )
  }
  return (
    <Page wide title={placeOf(endpoint.url)} back={back} actions={mayManage && <EndpointActions endpoint={endpoint} />}>
      <EndpointNotices endpoint={endpoint} />
      <EndpointFacts endpoint={endpoint} />
      <DeliveryLog endpoint={endpoint} />
    </Page>
  )
}
