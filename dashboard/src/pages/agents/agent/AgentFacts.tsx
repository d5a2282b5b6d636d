import { Anchor } from '@mantine/core'
import type { ReactNode } from 'react'
import { eventNames } from '../../../endpoints/eventTypes.ts'
import { rateText } from '../../../endpoints/health.ts'
import type { AgentFieldsFragment } from '../../../generated/documents.ts'
import { Time } from '../../../ui/Time.tsx'
import { actorKind } from '../../../viewer/actor.ts'
import { endpointsOf } from '../agentDraft.ts'
import classes from '../agents.module.css'

export function AgentFacts({ agent }: { readonly agent: AgentFieldsFragment }) {
  const { lastSeenAt, replyCount24h, successRate24h, creatorName, creatorUrl, installedAt, installer } = agent
  const [endpoint] = endpointsOf(agent)
  const events = eventNames(endpoint?.events ?? [])
  const creator = creatorName ?? creatorUrl
  return (
    <dl className={classes.facts}>
      <Fact name="Last seen">{lastSeenAt === null ? 'Not yet' : <Time at={lastSeenAt} />}</Fact>
      <Fact name="Replies in 24 hours">{(replyCount24h ?? 0).toLocaleString()}</Fact>
      <Fact name="Deliveries in 24 hours">
        {successRate24h === null ? 'None yet' : `${rateText(successRate24h)} delivered`}
      </Fact>
      <Fact name="Events">{events.join(', ') || 'None'}</Fact>
      <Fact name="Installed">
        <Time at={installedAt} />
        {installer !== null && (
          <span className={installer.hasLeft || installer.hasKeyEnded ? classes.orphaned : undefined}>
            {' '}
            {installedBy(installer)}
          </span>
        )}
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

type Installer = NonNullable<AgentFieldsFragment['installer']>

/** Who it was, and what of their access has ended: the agent works on all the same. */
function installedBy({ name, actor, hasLeft, hasKeyEnded }: Installer): string {
  const by = actorKind(actor) === 'API key' ? `by ${name} with the key ${actor.displayName}` : `by ${name}`
  if (hasLeft) return `${by}, who has left`
  return hasKeyEnded ? `${by}, which has ended` : by
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
