import { Button, Modal, Select } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useAction } from '../api/useAction.ts'
import classes from '../endpoints/dialogs.module.css'
import { eventName, SENT_TYPES } from '../endpoints/eventTypes.ts'
import { FormFault } from '../ui/forms/FormFault.tsx'
import { AttemptList } from './AttemptList.tsx'
import { DeliveryBadge } from './DeliveryBadge.tsx'
import { SendTestEvent } from './documents.ts'
import { useDelivery } from './useDelivery.ts'

interface SendTestProps {
  readonly endpointId: string
  readonly onClose: () => void
}

export function SendTest({ endpointId, onClose }: SendTestProps) {
  return (
    <Modal opened onClose={onClose} size="lg" title="Send test event">
      <TestForm endpointId={endpointId} onClose={onClose} />
    </Modal>
  )
}

interface TestFormProps {
  readonly endpointId: string
  /** Within something that is closed otherwise: undefined. */
  readonly onClose?: () => void
}

/** Sends an event with sample data and shows what comes of it. */
export function TestForm({ endpointId, onClose }: TestFormProps) {
  const [type, setType] = useState<(typeof SENT_TYPES)[number]>('PING')
  const [deliveryId, setDeliveryId] = useState<string | null>(null)
  const [fault, setFault] = useState<string | null>(null)
  const [run, isRunning] = useAction(SendTestEvent, { toast: false })

  async function submit(event: FormEvent) {
    event.preventDefault()
    const outcome = await run({ input: { endpointId, type } })
    setFault(outcome.ok ? null : outcome.message)
    if (outcome.ok) setDeliveryId(outcome.payload.delivery.id)
  }

  return (
    <form className={classes.form} onSubmit={(event) => void submit(event)}>
      <Select
        label="Test event"
        description="Sample data with a valid signature. Sent once, even if the endpoint is disabled. Does not affect its health."
        data={SENT_TYPES.map((value) => ({ value, label: eventName(value) }))}
        allowDeselect={false}
        value={type}
        onChange={(value) => setType(SENT_TYPES.find((each) => each === value) ?? 'PING')}
      />
      <FormFault message={fault} />
      {deliveryId !== null && <TestResult key={deliveryId} deliveryId={deliveryId} />}
      <div className={classes.actions}>
        {onClose !== undefined && (
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
        )}
        <Button type="submit" variant={onClose === undefined ? 'default' : 'filled'} loading={isRunning}>
          {deliveryId === null ? 'Send' : 'Send again'}
        </Button>
      </div>
    </form>
  )
}

function TestResult({ deliveryId }: { readonly deliveryId: string }) {
  const { delivery } = useDelivery(deliveryId)
  return (
    <section aria-label="Result" aria-live="polite">
      {delivery === null || delivery.attempts.length === 0 ? (
        <p className={classes.dim}>Sending…</p>
      ) : (
        <>
          <DeliveryBadge delivery={delivery} />
          <AttemptList attempts={delivery.attempts} />
        </>
      )}
    </section>
  )
}
