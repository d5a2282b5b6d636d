import { Anchor } from '@mantine/core'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { useQuery } from 'urql'
import { EndpointAgent } from '../../../endpoints/documents.ts'
import { eventNames } from '../../../endpoints/eventTypes.ts'
import { HealthBadge } from '../../../endpoints/HealthBadge.tsx'
import { failuresText, rateText } from '../../../endpoints/health.ts'
import type { EndpointFieldsFragment } from '../../../generated/documents.ts'
import { Time } from '../../../ui/Time.tsx'
import { useWorkspace } from '../../../viewer/workspace.ts'
import classes from './EndpointPage.module.css'

type EndpointWithRate = EndpointFieldsFragment & { readonly successRate24h: number | null }

export function EndpointFacts({ endpoint }: { readonly endpoint: EndpointWithRate }) {
  const { url, description, agentId, lastSuccessAt, lastFailureAt, failingSince, consecutiveFailures } = endpoint
  const events = eventNames(endpoint.events)
  return (
    <dl className={classes.facts}>
      <Fact name="URL" isWhole>
        <span className={classes.url}>{url}</span>
        {description !== null && <div className={classes.dim}>{description}</div>}
        {agentId !== null && (
          <div className={classes.dim}>
            Of the agent <OwnerLink id={agentId} />
          </div>
        )}
      </Fact>
      <Fact name="Health">
        <HealthBadge endpoint={endpoint} />
        {failingSince !== null && (
          <div className={classes.dim}>
            {failuresText(consecutiveFailures)} since <Time at={failingSince} />
          </div>
        )}
      </Fact>
      <Fact name="Success in 24 hours">
        {endpoint.successRate24h === null ? 'None yet' : rateText(endpoint.successRate24h)}
      </Fact>
      <Fact name="Last success">{lastSuccessAt === null ? 'Never' : <Time at={lastSuccessAt} />}</Fact>
      <Fact name="Last failure">{lastFailureAt === null ? 'Never' : <Time at={lastFailureAt} />}</Fact>
      <Fact name="Events">{events.join(', ') || 'Test events only'}</Fact>
      <Fact name="Sending">
        {endpoint.maxInFlight} concurrent, {endpoint.ordering === 'STRICT' ? 'strict order' : 'relaxed order'}
      </Fact>
    </dl>
  )
}

interface FactProps {
  readonly name: string
  readonly isWhole?: boolean
  readonly children: ReactNode
}

function Fact({ name, isWhole = false, children }: FactProps) {
  return (
    <div className={isWhole ? classes.whole : undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function OwnerLink({ id }: { readonly id: string }) {
  const { path } = useWorkspace()
  const [{ data }] = useQuery({ query: EndpointAgent, variables: { id } })
  const agent = data?.node?.__typename === 'Agent' ? data.node : null
  return (
    <Anchor component={Link} to={path(`settings/agents/${id}`)}>
      {agent?.name ?? id}
      {agent?.isEnabled === false && ' (disabled)'}
    </Anchor>
  )
}
