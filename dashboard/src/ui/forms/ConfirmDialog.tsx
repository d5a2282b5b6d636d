import { Button, Modal } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import type { Outcome } from '../../api/useAction.ts'
import classes from './ConfirmDialog.module.css'
import { FormFault } from './FormFault.tsx'
import { keepFocus } from './keepFocus.ts'

interface ConfirmDialogProps {
  readonly isOpen: boolean
  /** A question. */
  readonly title: string
  /** What will be different, and what cannot be undone. */
  readonly children: ReactNode
  /** What the button does, as a verb. */
  readonly confirmLabel: string
  readonly onClose: () => void
  /** A failure is shown in the dialog, which stays open. Its action shows no toast. */
  readonly onConfirm: () => Promise<Outcome<unknown>>
}

/** Asks before something that cannot be undone. */
export function ConfirmDialog({ isOpen, title, children, confirmLabel, onClose, onConfirm }: ConfirmDialogProps) {
  const [fault, setFault] = useState<string | null>(null)
  const [isRunning, setRunning] = useState(false)

  function close() {
    setFault(null)
    onClose()
  }

  async function confirm() {
    setRunning(true)
    const outcome = await onConfirm()
    setRunning(false)
    if (!outcome.ok) return setFault(outcome.message)
    close()
    keepFocus()
  }

  return (
    <Modal opened={isOpen} onClose={close} title={title} closeOnEscape={!isRunning} closeOnClickOutside={!isRunning}>
      <div className={classes.text}>{children}</div>
      <FormFault message={fault} />
      <div className={classes.actions}>
        <Button variant="default" disabled={isRunning} onClick={close} data-autofocus>
          Cancel
        </Button>
        <Button color="red" loading={isRunning} onClick={() => void confirm()}>
          {confirmLabel}
        </Button>
      </div>
    </Modal>
  )
}
