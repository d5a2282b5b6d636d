import { SegmentedControl } from '@mantine/core'
import { useSearchParams } from 'react-router'
import { Page } from '../../ui/layout/Page.tsx'
import { BacklogTile, DispatcherState } from './Backlog.tsx'
import { EventStream } from './events/EventStream.tsx'
import { LiveFigures } from './figures/LiveFigures.tsx'
import { PastFigures } from './figures/PastFigures.tsx'
import { RANGES, rangeOf } from './figures/ranges.ts'
import { useBacklog } from './useBacklog.ts'

/** What happens now, for who runs this: deliveries in figures, the backlog, and every event. */
export function Component() {
  const [params, setParams] = useSearchParams()
  const state = useBacklog()
  const range = rangeOf(params.get('range'))
  return (
    <Page
      wide
      title="Live"
      description="Live events and deliveries of this workspace."
      actions={
        <SegmentedControl
          aria-label="Time range"
          data={RANGES.map(({ id, label }) => ({ value: id, label }))}
          value={range.id}
          onChange={(id) =>
            setParams(
              (now) => {
                if (id === 'live') now.delete('range')
                else now.set('range', id)
                return now
              },
              { replace: true },
            )
          }
        />
      }
    >
      <DispatcherState state={state} />
      {range.id === 'live' ? (
        <LiveFigures backlog={<BacklogTile state={state} />} />
      ) : (
        <PastFigures key={range.id} range={range} backlog={<BacklogTile state={state} />} />
      )}
      <EventStream />
    </Page>
  )
}
