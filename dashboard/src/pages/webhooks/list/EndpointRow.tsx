import { Switch } from '@mantine/core'
import { Link } from 'react-router'
import { useAction } from '../../../api/useAction.ts'
import { DisableEndpoint, EnableEndpoint } from '../../../endpoints/documents.ts'
import { eventNames, SUBSCRIPTIONS } from '../../../endpoints/eventTypes.ts'
import { HealthBadge } from '../../../endpoints/HealthBadge.tsx'
import { failuresText, rateText } from '../../../endpoints/health.ts'
import type { EndpointFieldsFragment } from '../../../generated/documents.ts'
import { Time } from '../../../ui/Time.tsx'
import { usePermissions } from '../../../viewer/permissions.ts'
import { useWorkspace } from '../../../viewer/workspace.ts'
import classes from './EndpointList.module.css'

interface EndpointRowProps {
  readonly endpoint: EndpointFieldsFragment & { readonly successRate24h: number | null }
  readonly agent: { readonly name: string; readonly isEnabled: boolean } | undefined
}

export function EndpointRow({ endpoint, agent }: EndpointRowProps) {
  const { path } = useWorkspace()
  const { id, url, description, isEnabled } = endpoint
  const names = eventNames(endpoint.events)
  const events = names.length === SUBSCRIPTIONS.length ? 'All events' : names.join(', ') || 'No events'
  const owner = agent === undefined ? description : `Agent ${agent.name}${agent.isEnabled ? '' : ' (disabled)'}`
  return (
    <li className={classes.row}>
      <div className={classes.what}>
        <Link className={classes.url ?? ''} to={path(`settings/webhooks/${id}`)} title={url}>
          {url}
        </Link>
        <p className={classes.below}>{owner ? `${owner} · ${events}` : events}</p>
      </div>
      <div className={classes.health}>
        <HealthBadge endpoint={endpoint} />
        <span className={classes.below}>
          <LastSign endpoint={endpoint} />
        </span>
      </div>
      <span className={classes.rate}>
        {endpoint.successRate24h !== null && (
          <>
            {rateText(endpoint.successRate24h)}
            <span className={classes.below}> in 24 h</span>
          </>
        )}
      </span>
      <EnabledSwitch id={id} url={url} isEnabled={isEnabled} />
    </li>
  )
}

/** The latest thing that is known of it. */
function LastSign({ endpoint }: { readonly endpoint: EndpointFieldsFragment }) {
  const { failingSince, consecutiveFailures, lastFailureAt, lastSuccessAt } = endpoint
  if (failingSince !== null && lastFailureAt !== null) {
    return (
      <>
        {failuresText(consecutiveFailures)}, last <Time at={lastFailureAt} />
      </>
    )
  }
  if (lastSuccessAt === null) return null
  return (
    <>
      Delivered <Time at={lastSuccessAt} />
      {lastFailureAt !== null && (
        <>
          , last failure <Time at={lastFailureAt} />
        </>
      )}
    </>
  )
}

interface EnabledSwitchProps {
  readonly id: string
  readonly url: string
  readonly isEnabled: boolean
}

export function EnabledSwitch({ id, url, isEnabled }: EnabledSwitchProps) {
  const { mayManage } = usePermissions()
  const [enable, isEnabling] = useAction(EnableEndpoint)
  const [disable, isDisabling] = useAction(DisableEndpoint)
  const input = { input: { endpointId: id } }
  return (
    <Switch
      className={classes.switch ?? ''}
      aria-label={`Send events to ${url}`}
      checked={isEnabled}
      disabled={!mayManage || isEnabling || isDisabling}
      onChange={() => void (isEnabled ? disable(input) : enable(input))}
    />
  )
}
