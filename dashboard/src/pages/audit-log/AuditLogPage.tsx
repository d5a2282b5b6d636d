import { Button } from '@mantine/core'
import { ScrollText, SearchX } from 'lucide-react'
import { useMemo } from 'react'
import { refusedFields } from '../../api/useAction.ts'
import { usePages } from '../../api/usePages.ts'
import type { AuditEntriesQuery } from '../../generated/documents.ts'
import { Page } from '../../ui/layout/Page.tsx'
import { EmptyState } from '../../ui/states/EmptyState.tsx'
import { Failure } from '../../ui/states/Failure.tsx'
import { Loading } from '../../ui/states/Loading.tsx'
import tables from '../../ui/table.module.css'
import { NotAllowed } from '../../viewer/NotAllowed.tsx'
import { mayManage } from '../../viewer/roles.ts'
import { useWorkspace } from '../../viewer/workspace.ts'
import { AuditEntries } from './documents.ts'
import { EntryDrawer } from './EntryDrawer.tsx'
import { EntryTable } from './EntryTable.tsx'
import { Filters } from './Filters.tsx'
import { filterOf } from './filter.ts'
import { useLogAddress } from './useLogAddress.ts'

const PAGE_SIZE = 50
const connectionOf = ({ auditEntries }: AuditEntriesQuery) => auditEntries

export function Component() {
  const { role } = useWorkspace()
  return (
    <Page wide title="Audit log" description="All changes, with actor, source and time. Entries cannot be changed.">
      {mayManage(role) ? <Log /> : <NotAllowed what="see the audit log" />}
    </Page>
  )
}

function Log() {
  const address = useLogAddress()
  const { params, isFiltered, set, clear } = address
  const filter = useMemo(() => filterOf(params), [params])
  const { nodes, hasMore, isLoading, isLoadingMore, error, loadMore, reload } = usePages(
    AuditEntries,
    { filter, first: PAGE_SIZE },
    connectionOf,
  )
  const faults = error === undefined ? [] : refusedFields(error)
  return (
    <>
      <Filters address={address} faults={faults} />
      {isLoading && <Loading lines={8} height={52} />}
      {nodes.length > 0 && <EntryTable entries={nodes} onOpen={({ id }) => set({ entry: id })} />}
      {nodes.length === 0 && !isLoading && error === undefined && <Nothing isFiltered={isFiltered} onClear={clear} />}
      {error !== undefined && faults.length === 0 && <Failure error={error} onRetry={reload} />}
      {hasMore && (
        <div className={tables.below}>
          <Button variant="default" loading={isLoadingMore} onClick={loadMore}>
            Load more
          </Button>
        </div>
      )}
      <EntryDrawer id={params.get('entry')} entries={nodes} address={address} />
    </>
  )
}

interface NothingProps {
  readonly isFiltered: boolean
  readonly onClear: () => void
}

function Nothing({ isFiltered, onClear }: NothingProps) {
  if (isFiltered) {
    return (
      <EmptyState
        icon={SearchX}
        title="No matching entries"
        actions={
          <Button variant="default" onClick={onClear}>
            Clear filters
          </Button>
        }
      >
        Change the dates, or remove a filter.
      </EmptyState>
    )
  }
  return (
    <EmptyState icon={ScrollText} title="No entries yet">
      Changes to keys, members, agents, webhooks and the workspace appear here.
    </EmptyState>
  )
}
