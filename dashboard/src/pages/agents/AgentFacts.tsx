import { Anchor } from '@mantine/core'
import type { ReactNode } from 'react'
import type { AgentFieldsFragment } from '../../generated/documents.ts'
import { Time } from '../../ui/Time.tsx'
import { SUBSCRIPTIONS } from '../webhooks/eventTypes.ts'
import { rateText } from '../webhooks/health.ts'
import classes from './agents.module.css'

export function AgentFacts({ agent }: { readonly agent: AgentFieldsFragment }) {
  const { lastSeenAt, replyCount24h, errorRate24h, creatorName, creatorUrl, installedAt } = agent
  const [endpoint] = agent.webhookEndpoints
  const events = SUBSCRIPTIONS.filter(({ flag }) => endpoint?.[flag]).map(({ name }) => name)
  const creator = creatorName ?? creatorUrl
  return (
    <dl className={classes.facts}>
      <Fact name="Last seen">{lastSeenAt === null ? 'Not yet' : <Time at={lastSeenAt} />}</Fact>
      <Fact name="Answers in 24 hours">{(replyCount24h ?? 0).toLocaleString()}</Fact>
      <Fact name="Deliveries in 24 hours">
        {errorRate24h === null ? 'None yet' : `${rateText(1 - errorRate24h)} arrived`}
      </Fact>
      <Fact name="Events">{events.join(', ') || 'None'}</Fact>
      <Fact name="Installed">
        <Time at={installedAt} />
      </Fact>
      {creator !== null && (
        <Fact name="Creator">
          {creatorUrl === null ? (
            creator
          ) : (
            <Anchor href={creatorUrl} target="_blank" rel="noreferrer">
              {creator}
            </Anchor>
          )}
        </Fact>
      )}
    </dl>
  )
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
