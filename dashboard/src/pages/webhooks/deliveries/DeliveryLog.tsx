import { Button, Select, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useParams, useSearchParams } from 'react-router'
import { eventName, SENT_TYPES } from '../../../endpoints/eventTypes.ts'
import type { EndpointFieldsFragment } from '../../../generated/documents.ts'
import { DeliveryList } from './DeliveryList.tsx'
import classes from './DeliveryLog.module.css'
import { DeliveryPanel } from './DeliveryPanel.tsx'
import { filterOf, STATUSES } from './deliveryFilter.ts'

const TYPES = SENT_TYPES.map((value) => ({ value, label: eventName(value) }))
const NAMES = ['status', 'type', 'from', 'to'] as const

/** An endpoint's deliveries as they happen; the filters and the opened one stand in the address. */
export function DeliveryLog({ endpoint }: { readonly endpoint: EndpointFieldsFragment }) {
  const { deliveryId } = useParams()
  const [params, setParams] = useSearchParams()
  const [isEmpty, setEmpty] = useState(false)
  const filter = filterOf(params, endpoint.id)
  const isFiltered = NAMES.some((name) => params.has(name))
  const set = (name: (typeof NAMES)[number], value: string | null) =>
    setParams(
      (now) => {
        if (value) now.set(name, value)
        else now.delete(name)
        return now
      },
      { replace: true },
    )
  return (
    <section aria-label="Deliveries">
      <header className={classes.header}>
        <h2 className={classes.title}>Deliveries</h2>
        {(isFiltered || !isEmpty) && (
          <div className={classes.filters}>
            <Select
              size="xs"
              aria-label="Status"
              placeholder="Any status"
              clearable
              data={[...STATUSES]}
              value={filter.statuses?.[0] ?? null}
              onChange={(value) => set('status', value)}
            />
            <Select
              size="xs"
              aria-label="Event"
              placeholder="Any event"
              clearable
              data={TYPES}
              value={filter.eventTypes?.[0] ?? null}
              onChange={(value) => set('type', value)}
            />
            <TextInput
              size="xs"
              type="date"
              aria-label="From"
              leftSection="From"
              leftSectionWidth={46}
              value={params.get('from') ?? ''}
              onChange={(event) => set('from', event.currentTarget.value)}
            />
            <TextInput
              size="xs"
              type="date"
              aria-label="To"
              leftSection="To"
              leftSectionWidth={30}
              value={params.get('to') ?? ''}
              onChange={(event) => set('to', event.currentTarget.value)}
            />
            {isFiltered && (
              <Button size="xs" variant="subtle" onClick={() => setParams({}, { replace: true })}>
                Clear
              </Button>
            )}
          </div>
        )}
      </header>
      <div className={classes.panes} data-open={deliveryId !== undefined || undefined}>
        <DeliveryList
          key={JSON.stringify(filter)}
          endpoint={endpoint}
          filter={filter}
          isFiltered={isFiltered}
          selectedId={deliveryId}
          onEmpty={setEmpty}
        />
        {deliveryId !== undefined && <DeliveryPanel key={deliveryId} id={deliveryId} endpoint={endpoint} />}
      </div>
    </section>
  )
}
