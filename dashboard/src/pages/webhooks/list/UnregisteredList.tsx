import { Button } from '@mantine/core'
import { useState } from 'react'
import type { UnregisteredFieldsFragment } from '../../../generated/documents.ts'
import { Section } from '../../../ui/layout/Section.tsx'
import { Time } from '../../../ui/Time.tsx'
import { usePermissions } from '../../../viewer/permissions.ts'
import { DeleteEndpointDialog } from '../DeleteEndpointDialog.tsx'
import classes from './EndpointList.module.css'

interface UnregisteredListProps {
  readonly endpoints: readonly UnregisteredFieldsFragment[]
  /** Of agents, by their ids. */
  readonly nameOf: (agentId: string) => string | undefined
  readonly onRemoved: () => void
}

/** What services have unregistered and may register again. */
export function UnregisteredList({ endpoints, nameOf, onRemoved }: UnregisteredListProps) {
  const { mayManage } = usePermissions()
  const [removing, setRemoving] = useState<UnregisteredFieldsFragment | null>(null)
  if (endpoints.length === 0) return null
  return (
    <Section
      title="Unregistered"
      description="Endpoints whose services stopped. A service that registers its URL again within a day gets its endpoint back, with the missed events."
    >
      <ul className={classes.list} aria-label="Unregistered endpoints">
        {endpoints.map((endpoint) => (
          <li key={endpoint.endpointId} className={classes.unregistered}>
            <div className={classes.what}>
              <span className={classes.unregisteredUrl} title={endpoint.url}>
                {endpoint.url}
              </span>
              <p className={classes.below}>
                {endpoint.agentId !== null && `Agent ${nameOf(endpoint.agentId) ?? endpoint.agentId} · `}
                unregistered since <Time at={endpoint.unregisteredAt} />, removed <Time at={endpoint.keptUntil} />
              </p>
            </div>
            {mayManage && (
              <Button
                variant="default"
                size="xs"
                aria-label={`Remove ${endpoint.url}`}
                onClick={() => setRemoving(endpoint)}
              >
                Remove
              </Button>
            )}
          </li>
        ))}
      </ul>
      {removing !== null && (
        <DeleteEndpointDialog
          endpoint={{ ...removing, id: removing.endpointId }}
          onDeleted={onRemoved}
          onClose={() => setRemoving(null)}
        />
      )}
    </Section>
  )
}
