import { Button, Switch } from '@mantine/core'
import { KeyRound } from 'lucide-react'
import type { ReactNode } from 'react'
import { useSearchParams } from 'react-router'
import type { Pages } from '../../api/usePages.ts'
import type { ApiKeyFieldsFragment } from '../../generated/documents.ts'
import { EmptyState } from '../../ui/states/EmptyState.tsx'
import { Failure } from '../../ui/states/Failure.tsx'
import { Loading } from '../../ui/states/Loading.tsx'
import { useNow } from '../../ui/Time.tsx'
import tables from '../../ui/table.module.css'
import { endOf, KeyTable } from './KeyTable.tsx'

interface KeyListProps {
  readonly pages: Pages<ApiKeyFieldsFragment>
  /** What stands where there is no key. */
  readonly children: ReactNode
}

/** Keys that work; with `?ended` in the address also the others. */
export function KeyList({ pages, children }: KeyListProps) {
  const { nodes, hasMore, isLoading, isLoadingMore, error, loadMore, reload } = pages
  const [params, setParams] = useSearchParams()
  const now = useNow()
  const isAll = params.has('ended')
  const ended = nodes.filter((key) => endOf(key, now) !== null).length
  const shown = isAll ? nodes : nodes.filter((key) => endOf(key, now) === null)

  if (isLoading) return <Loading lines={4} height={52} />
  if (nodes.length === 0 && error !== undefined) return <Failure error={error} onRetry={reload} />
  return (
    <>
      {shown.length > 0 ? (
        <KeyTable keys={shown} />
      ) : (
        <EmptyState icon={KeyRound} title={nodes.length === 0 ? 'No keys yet' : 'No active keys'}>
          {children}
        </EmptyState>
      )}
      {ended > 0 && (
        <Switch
          mt="md"
          label={`Show revoked and expired keys (${ended}${hasMore ? ' so far' : ''})`}
          checked={isAll}
          onChange={(event) => setParams(event.currentTarget.checked ? { ended: '' } : {}, { replace: true })}
        />
      )}
      {error !== undefined && <Failure error={error} onRetry={reload} />}
      {hasMore && (
        <div className={tables.below}>
          <Button variant="default" loading={isLoadingMore} onClick={loadMore}>
            Load more
          </Button>
        </div>
      )}
    </>
  )
}
