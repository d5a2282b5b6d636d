import { Button, Drawer } from '@mantine/core'
import { SearchX } from 'lucide-react'
import { useQuery } from 'urql'
import { EmptyState } from '../../ui/states/EmptyState.tsx'
import { Failure } from '../../ui/states/Failure.tsx'
import { Loading } from '../../ui/states/Loading.tsx'
import { OneAuditEntry } from './documents.ts'
import classes from './EntryTable.module.css'
import { Sentence } from './Sentence.tsx'
import { actorNameOf, type Entry } from './sentences.ts'
import type { LogAddress } from './useLogAddress.ts'

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' })

interface EntryDrawerProps {
  /** Which; null when none is open. */
  readonly id: string | null
  /** Those that have been loaded. */
  readonly entries: readonly Entry[]
  readonly address: LogAddress
}

/** Everything about one entry, beside the list. */
export function EntryDrawer({ id, entries, address }: EntryDrawerProps) {
  const close = () => address.set({ entry: null })
  return (
    <Drawer opened={id !== null} onClose={close} position="right" size="lg" title="Audit log entry">
      {id !== null && (
        <Content id={id} known={entries.find((entry) => entry.id === id)} onFilter={(filter) => address.set(filter)} />
      )}
    </Drawer>
  )
}

interface ContentProps {
  readonly id: string
  readonly known: Entry | undefined
  readonly onFilter: LogAddress['set']
}

function Content({ id, known, onFilter }: ContentProps) {
  const [{ data, error, fetching }, retry] = useQuery({
    query: OneAuditEntry,
    variables: { id },
    pause: known !== undefined,
  })
  const found = data?.node?.__typename === 'AuditEntry' ? data.node : undefined
  const entry = known ?? found
  if (entry !== undefined) return <Details entry={entry} onFilter={onFilter} />
  if (error !== undefined) return <Failure error={error} onRetry={() => retry({ requestPolicy: 'network-only' })} />
  if (fetching) return <Loading lines={6} height={28} />
  return (
    <EmptyState icon={SearchX} title="Entry not found">
      It may belong to another workspace, or the address is incomplete.
    </EmptyState>
  )
}

interface DetailsProps {
  readonly entry: Entry
  readonly onFilter: LogAddress['set']
}

function Details({ entry, onFilter }: DetailsProps) {
  const { id, action, actor, targetId, targetName, targetType, address, userAgent, data, createdAt } = entry
  const actorName = actorNameOf(entry)
  return (
    <>
      <dl className={classes.details}>
        <dt>What</dt>
        <dd>
          {actorName} <Sentence entry={entry} />
        </dd>
        <dt>When</dt>
        <dd>{exact.format(new Date(createdAt))}</dd>
        <dt>Who</dt>
        <dd>
          {actorName} {actor !== null && <code>{actor.id}</code>}
        </dd>
        <dt>Object</dt>
        <dd>
          {targetName ?? targetType.toLowerCase().replaceAll('_', ' ')} <code>{targetId}</code>
        </dd>
        <dt>Action</dt>
        <dd>
          <code>{action}</code>
        </dd>
        <dt>From</dt>
        <dd>{address === null ? 'Unknown' : <code>{address}</code>}</dd>
        <dt>Program</dt>
        <dd>{userAgent ?? 'Unknown'}</dd>
        <dt>Entry</dt>
        <dd>
          <code>{id}</code>
        </dd>
      </dl>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is to be reached by keyboard */}
      <section className={classes.data} tabIndex={0} aria-label="Data">
        <pre>{JSON.stringify(data, null, 2)}</pre>
      </section>
      <div className={classes.buttons}>
        {actor !== null && (
          <Button variant="default" onClick={() => onFilter({ actor: actor.id, entry: null })}>
            All that {actorName} did
          </Button>
        )}
        <Button variant="default" onClick={() => onFilter({ target: targetId, entry: null })}>
          All entries for this object
        </Button>
      </div>
    </>
  )
}
