import { Button, Checkbox, Modal, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useAction } from '../../../api/useAction.ts'
import { ReplayFailed } from '../../../deliveries/documents.ts'
import classes from '../../../endpoints/dialogs.module.css'
import type { EndpointFieldsFragment } from '../../../generated/documents.ts'
import { FormFault } from '../../../ui/forms/FormFault.tsx'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** As a datetime-local field wants it, in the browser's time zone. */
export function localTime(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

/** A little before it began to fail: what failed then may have been waiting already. */
function startOf({ failingSince }: EndpointFieldsFragment): Date {
  return new Date(failingSince === null ? Date.now() - DAY_MS : Date.parse(failingSince) - HOUR_MS)
}

interface ReplayFailedDialogProps {
  readonly endpoint: EndpointFieldsFragment
  readonly onClose: () => void
}

export function ReplayFailedDialog({ endpoint, onClose }: ReplayFailedDialogProps) {
  const [since, setSince] = useState(() => localTime(startOf(endpoint)))
  const [includeSkipped, setIncludeSkipped] = useState(false)
  const [count, setCount] = useState<number | null>(null)
  const [fault, setFault] = useState<string | null>(null)
  const [isReplaying, setReplaying] = useState(false)
  const [run] = useAction(ReplayFailed, { toast: false })

  async function submit(event: FormEvent) {
    event.preventDefault()
    setReplaying(true)
    setFault(null)
    const input = { endpointId: endpoint.id, since: new Date(since).toISOString(), includeSkipped }
    let total = 0
    // One call replays so many at most, and says whether there may be more.
    for (let isComplete = false; !isComplete; ) {
      const outcome = await run({ input })
      if (!outcome.ok) {
        setFault(outcome.message)
        break
      }
      total += outcome.payload.replayedCount
      isComplete = outcome.payload.isComplete
      setCount(total)
    }
    setReplaying(false)
  }

  return (
    <Modal opened onClose={onClose} title="Replay failed deliveries">
      <form className={classes.form} onSubmit={(event) => void submit(event)}>
        <p>Failed deliveries are sent again, after live ones. Receivers recognize them by X-GudDesk-Delivery.</p>
        <TextInput
          type="datetime-local"
          label="Since"
          max={localTime(new Date())}
          value={since}
          onChange={(event) => setSince(event.currentTarget.value)}
        />
        <Checkbox
          label="Include events skipped while the endpoint was disabled"
          checked={includeSkipped}
          onChange={(event) => setIncludeSkipped(event.currentTarget.checked)}
        />
        <div role="status">
          {count !== null && (
            <p>
              {count === 0
                ? 'No failed deliveries since then.'
                : `${count.toLocaleString()} ${count === 1 ? 'delivery is' : 'deliveries are'} sent again.`}
            </p>
          )}
        </div>
        <FormFault message={fault} />
        <div className={classes.actions}>
          <Button variant="default" onClick={onClose}>
            {count === null ? 'Cancel' : 'Close'}
          </Button>
          <Button type="submit" loading={isReplaying} disabled={since === ''}>
            Replay
          </Button>
        </div>
      </form>
    </Modal>
  )
}
