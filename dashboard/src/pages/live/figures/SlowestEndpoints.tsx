import { Link } from 'react-router'
import { useQuery } from 'urql'
import { Failure } from '../../../ui/states/Failure.tsx'
import { Loading } from '../../../ui/states/Loading.tsx'
import { useWorkspace } from '../../../viewer/workspace.ts'
import { SlowestEndpoints as Slowest } from '../documents.ts'
import { Frame } from './Charts.tsx'
import classes from './SlowestEndpoints.module.css'

interface SlowestEndpointsProps {
  /** ISO times. */
  readonly from: string
  readonly to: string
}

/** Who keeps deliveries waiting longest, as bars. */
export function SlowestEndpoints(variables: SlowestEndpointsProps) {
  const { path } = useWorkspace()
  const [{ data, error }, execute] = useQuery({ query: Slowest, variables, requestPolicy: 'network-only' })
  const stats = data?.slowestEndpoints ?? null
  const rows = stats ?? []
  const longest = Math.max(1, ...rows.map(({ durationP95Ms }) => durationP95Ms))
  return (
    <Frame title="Slowest endpoints">
      {stats === null && error === undefined && <Loading lines={4} height={28} />}
      {stats === null && error !== undefined && (
        <Failure error={error} onRetry={() => execute({ requestPolicy: 'network-only' })} />
      )}
      {stats !== null && rows.length === 0 && <p className={classes.none}>No deliveries in this time.</p>}
      <ul className={classes.rows}>
        {rows.map(({ endpoint, failed, durationP50Ms, durationP95Ms }) => (
          <li key={endpoint.id} className={classes.row}>
            <Link className={classes.url ?? ''} to={path(`settings/webhooks/${endpoint.id}`)} title={endpoint.url}>
              {endpoint.url}
            </Link>
            <span className={classes.figures}>
              p50 {durationP50Ms.toLocaleString()} ms, p95 {durationP95Ms.toLocaleString()} ms
              {failed > 0 && `, ${failed.toLocaleString()} failed`}
            </span>
            <span className={classes.bar} style={{ width: `${(durationP95Ms / longest) * 100}%` }} aria-hidden />
          </li>
        ))}
      </ul>
    </Frame>
  )
}
