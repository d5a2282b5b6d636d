import { Badge, Switch } from '@mantine/core'
import { Link } from 'react-router'
import { useAction } from '../../api/useAction.ts'
import { HealthBadge } from '../../endpoints/HealthBadge.tsx'
import { rateText } from '../../endpoints/health.ts'
import type { AgentFieldsFragment } from '../../generated/documents.ts'
import { Face } from '../../ui/Face.tsx'
import { Mark } from '../../ui/layout/Mark.tsx'
import { Time } from '../../ui/Time.tsx'
import { usePermissions } from '../../viewer/permissions.ts'
import { useWorkspace } from '../../viewer/workspace.ts'
import { endpointsOf } from './agentDraft.ts'
import classes from './agents.module.css'
import { UpdateAgent } from './documents.ts'

export function AgentCard({ agent }: { readonly agent: AgentFieldsFragment }) {
  const { path } = useWorkspace()
  const { id, name, description, icon, creatorName, isEnabled, lastSeenAt } = agent
  const { replyCount24h, successRate24h } = agent
  const [endpoint] = endpointsOf(agent)
  return (
    <li className={classes.card}>
      <div className={classes.top}>
        <Face isAgent size={40} name={name} imageUrl={icon} />
        <div className={classes.who}>
          <Link className={classes.name ?? ''} to={path(`settings/agents/${id}`)}>
            {name}
          </Link>
          <p className={classes.dim}>
            {creatorName === null ? 'Installed' : `By ${creatorName}, installed`} <Time at={agent.installedAt} />
          </p>
        </div>
        <AgentSwitch agent={agent} />
      </div>
      {description !== null && <p className={classes.text}>{description}</p>}
      <p className={classes.dim}>
        {answersText(replyCount24h ?? 0)}
        {successRate24h !== null && successRate24h < 1 && `, ${rateText(1 - successRate24h)} of its deliveries failed`}{' '}
        in 24 hours
      </p>
      <div className={classes.bottom}>
        {!isEnabled ? (
          <Mark tone="idle" label="Disabled" />
        ) : endpoint === undefined ? (
          <Mark tone="warn" label="No endpoint" />
        ) : (
          <HealthBadge endpoint={endpoint} />
        )}
        <span className={classes.dim}>{lastSeenAt === null ? 'Not seen yet' : <LastSeen at={lastSeenAt} />}</span>
      </div>
    </li>
  )
}

function answersText(count: number): string {
  return count === 1 ? '1 answer' : `${count === 0 ? 'No' : count.toLocaleString()} answers`
}

function LastSeen({ at }: { readonly at: string }) {
  return (
    <>
      Seen <Time at={at} />
    </>
  )
}

export function TypeBadge({ type }: Pick<AgentFieldsFragment, 'type'>) {
  if (type === 'CUSTOM') return null
  return <Badge variant="light">{type === 'BUILT_IN' ? 'Built in' : 'Marketplace'}</Badge>
}

export function AgentSwitch({ agent: { id, name, isEnabled } }: { readonly agent: AgentFieldsFragment }) {
  const { mayWrite } = usePermissions()
  const [run, isRunning] = useAction(UpdateAgent)
  return (
    <Switch
      className={classes.switch ?? ''}
      aria-label={`${name} is enabled`}
      checked={isEnabled}
      disabled={!mayWrite || isRunning}
      onChange={() => void run({ input: { agentId: id, isEnabled: !isEnabled } })}
    />
  )
}
