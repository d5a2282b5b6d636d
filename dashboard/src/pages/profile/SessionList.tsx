import { Badge, Button } from '@mantine/core'
import { Monitor, Smartphone } from 'lucide-react'
import { useAction } from '../../api/useAction.ts'
import type { SessionsQuery } from '../../generated/documents.ts'
import { Time } from '../../ui/Time.tsx'
import { EndSession } from './documents.ts'
import classes from './forms.module.css'

interface SessionListProps {
  readonly sessions: NonNullable<SessionsQuery['sessions']>
  readonly onEnded: () => void
}

export function SessionList({ sessions, onEnded }: SessionListProps) {
  const [run, isRunning] = useAction(EndSession)
  return (
    <ul className={classes.sessions}>
      {sessions.map(({ id, address, userAgent, isCurrent, createdAt }) => (
        <li key={id} className={classes.session}>
          {/Mobile|Android|iPhone/.test(userAgent ?? '') ? (
            <Smartphone size={18} aria-hidden />
          ) : (
            <Monitor size={18} aria-hidden />
          )}
          <div className={classes.where}>
            {browserName(userAgent)}{' '}
            {isCurrent && (
              <Badge variant="light" color="gray" tt="none">
                This session
              </Badge>
            )}
            <p>
              {address ?? 'unknown address'} · since <Time at={createdAt} />
            </p>
          </div>
          {!isCurrent && (
            <Button
              size="xs"
              variant="default"
              disabled={isRunning}
              onClick={() => void run({ input: { sessionId: id } }).then((outcome) => outcome.ok && onEnded())}
            >
              End
            </Button>
          )}
        </li>
      ))}
    </ul>
  )
}

const BROWSERS = ['Edg', 'OPR', 'Firefox', 'Chrome', 'Safari'] as const
const NAMES = { Edg: 'Edge', OPR: 'Opera', Firefox: 'Firefox', Chrome: 'Chrome', Safari: 'Safari' }
const SYSTEMS = ['Windows', 'Android', 'iPhone', 'iPad', 'Mac OS', 'Linux'] as const

/** A guess for people; the exact text says little to them. */
function browserName(userAgent: string | null): string {
  const browser = BROWSERS.find((each) => userAgent?.includes(each))
  const system = SYSTEMS.find((each) => userAgent?.includes(each))
  if (browser === undefined) return userAgent?.slice(0, 40) || 'Unknown program'
  return system === undefined ? NAMES[browser] : `${NAMES[browser]} on ${system}`
}
