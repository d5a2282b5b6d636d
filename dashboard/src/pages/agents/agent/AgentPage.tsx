import { Anchor, Button } from '@mantine/core'
import { Bot } from 'lucide-react'
import { Link, useParams } from 'react-router'
import { useQuery } from 'urql'
import { useDeliveryFeed } from '../../../deliveries/useDeliveryFeed.ts'
import { HealthBadge } from '../../../endpoints/HealthBadge.tsx'
import type { AgentFieldsFragment, AgentQuery } from '../../../generated/documents.ts'
import { CodeBlock } from '../../../ui/copy/CodeBlock.tsx'
import { Page } from '../../../ui/layout/Page.tsx'
import { Section } from '../../../ui/layout/Section.tsx'
import { EmptyState } from '../../../ui/states/EmptyState.tsx'
import { Failure } from '../../../ui/states/Failure.tsx'
import { Loading } from '../../../ui/states/Loading.tsx'
import { Time } from '../../../ui/Time.tsx'
import { usePermissions } from '../../../viewer/permissions.ts'
import { useWorkspace } from '../../../viewer/workspace.ts'
import { AgentSwitch, TypeBadge } from '../AgentCard.tsx'
import { endpointsOf } from '../agentDraft.ts'
import classes from '../agents.module.css'
import { Agent } from '../documents.ts'
import { Quickstart } from '../Quickstart.tsx'
import { AgentActions } from './AgentActions.tsx'
import { AgentFacts } from './AgentFacts.tsx'

export function AgentPage() {
  const { agentId = '' } = useParams()
  const { path } = useWorkspace()
  const { mayWrite } = usePermissions()
  const [{ data, error }, reload] = useQuery({ query: Agent, variables: { id: agentId } })
  const agent = data?.node?.__typename === 'Agent' ? data.node : null
  useDeliveryFeed(agent === null ? undefined : endpointsOf(agent)[0]?.id, {
    onHealth: () => reload({ requestPolicy: 'network-only' }),
  })
  const back = { to: path('settings/agents'), label: 'AI Agents' }
  if (agent === null) {
    return (
      <Page wide title="Agent" back={back}>
        {error !== undefined && <Failure error={error} onRetry={() => reload({ requestPolicy: 'network-only' })} />}
        {error === undefined && data === undefined && <Loading lines={6} />}
        {data !== undefined && (
          <EmptyState
            icon={Bot}
            title="Agent not found"
            actions={
              <Button component={Link} to={path('settings/agents')}>
                View agents
              </Button>
            }
          >
            It was uninstalled, or belongs to another workspace.
          </EmptyState>
        )}
      </Page>
    )
  }
  const [endpoint] = endpointsOf(agent)
  const unregistered = data?.unregisteredWebhookEndpoints?.filter(({ agentId: owner }) => owner === agent.id) ?? []
  return (
    <Page
      wide
      title={agent.name}
      back={back}
      description={agent.description ?? undefined}
      actions={
        <span className={classes.head}>
          <TypeBadge type={agent.type} />
          <AgentSwitch agent={agent} />
          {mayWrite && <AgentActions agent={agent} />}
        </span>
      }
    >
      <AgentFacts agent={agent} />
      <Section title="Webhook endpoint" description="The URL that receives its signed events.">
        <EndpointLines agent={agent} unregistered={unregistered} />
      </Section>
      {endpoint !== undefined && agent.type !== 'BUILT_IN' && (
        <Section
          title="Quickstart"
          description="A small agent that verifies signatures and replies. Use the secret and key from the installation, or rotate them."
        >
          <Quickstart name={agent.name} webhookUrl={endpoint.url} />
        </Section>
      )}
      <Section title="Configuration">
        <CodeBlock wrap label="configuration" text={JSON.stringify(agent.config, null, 2)} />
      </Section>
    </Page>
  )
}

interface EndpointLinesProps {
  readonly agent: AgentFieldsFragment
  readonly unregistered: NonNullable<AgentQuery['unregisteredWebhookEndpoints']>
}

function EndpointLines({ agent, unregistered }: EndpointLinesProps) {
  const { path } = useWorkspace()
  const endpoints = endpointsOf(agent)
  if (endpoints.length === 0 && unregistered.length === 0) {
    return (
      <p className={classes.dim}>No endpoints. The agent receives no events until it registers one over the API.</p>
    )
  }
  return (
    <ul className={classes.endpoints}>
      {endpoints.map((endpoint) => (
        <li key={endpoint.id} className={classes.endpoint}>
          <span className={classes.url}>{endpoint.url}</span>
          <span className={classes.head}>
            <HealthBadge endpoint={endpoint} />
            <Anchor component={Link} to={path(`settings/webhooks/${endpoint.id}`)}>
              Deliveries
            </Anchor>
          </span>
        </li>
      ))}
      {agent.webhookEndpoints?.pageInfo.hasNextPage === true && (
        <li className={classes.endpoint}>
          <Anchor component={Link} to={path('settings/webhooks')}>
            More endpoints
          </Anchor>
        </li>
      )}
      {unregistered.map(({ endpointId, url, unregisteredAt }) => (
        <li key={endpointId} className={classes.endpoint}>
          <span className={classes.url}>{url}</span>
          <span className={classes.dim}>
            unregistered since <Time at={unregisteredAt} />
          </span>
        </li>
      ))}
    </ul>
  )
}
