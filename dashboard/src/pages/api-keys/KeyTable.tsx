import { Badge } from '@mantine/core'
import { Link } from 'react-router'
import type { ApiKeyFieldsFragment } from '../../generated/documents.ts'
import { Time, useNow } from '../../ui/Time.tsx'
import classes from '../../ui/table.module.css'
import { useWorkspace } from '../../viewer/workspace.ts'
import { permissionName } from './permissions.ts'
import { RevokeKey } from './RevokeKey.tsx'

export function KeyTable({ keys }: { readonly keys: readonly ApiKeyFieldsFragment[] }) {
  const now = useNow()
  return (
    <div className={classes.frame}>
      <table className={classes.table}>
        <caption className="visually-hidden">API keys</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Key</th>
            <th scope="col">Permission</th>
            <th scope="col">Works in</th>
            <th scope="col">Created</th>
            <th scope="col">Last used</th>
            <th scope="col">Expires</th>
            <th scope="col">
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <Row key={key.id} apiKey={key} end={endOf(key, now)} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface RowProps {
  readonly apiKey: ApiKeyFieldsFragment
  readonly end: 'revoked' | 'expired' | null
}

function Row({ apiKey, end }: RowProps) {
  const { name, prefix, permission, createdAt, lastUsedAt, expiresAt, revokedAt } = apiKey
  return (
    <tr className={end === null ? undefined : classes.ended}>
      <td className={classes.main}>{name}</td>
      <td data-label="Key" className={classes.code}>
        {prefix}…
      </td>
      <td data-label="Permission">
        <Badge color={permission === 'FULL_ACCESS' && end === null ? 'orange' : 'gray'} variant="light" tt="none">
          {permissionName(permission)}
        </Badge>
      </td>
      <td data-label="Works in">
        <Scope apiKey={apiKey} />
      </td>
      <td data-label="Created">
        <Time at={createdAt} />
      </td>
      <td data-label="Last used">{lastUsedAt === null ? 'Never' : <Time at={lastUsedAt} />}</td>
      <td data-label="Expires">
        {revokedAt !== null ? (
          <>
            Revoked <Time at={revokedAt} />
          </>
        ) : expiresAt === null ? (
          'Never'
        ) : (
          <>
            {end === 'expired' && 'Expired '}
            <Time at={expiresAt} />
          </>
        )}
      </td>
      <td className={classes.actions}>{end === null && <RevokeKey apiKey={apiKey} />}</td>
    </tr>
  )
}

function Scope({ apiKey: { agentId, isForAllWorkspaces } }: { readonly apiKey: ApiKeyFieldsFragment }) {
  const { path } = useWorkspace()
  if (agentId !== null) {
    return (
      <span>
        Here, as an <Link to={path('settings/agents')}>AI agent</Link>
      </span>
    )
  }
  return isForAllWorkspaces ? 'All your workspaces' : 'This workspace'
}

/** Whether and why a key works no more. */
export function endOf({ revokedAt, expiresAt }: ApiKeyFieldsFragment, now: number): RowProps['end'] {
  if (revokedAt !== null) return 'revoked'
  return expiresAt !== null && Date.parse(expiresAt) <= now ? 'expired' : null
}
