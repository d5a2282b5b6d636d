import { Button, Modal, TextInput } from '@mantine/core'
import { type FormEvent, type ReactNode, useState } from 'react'
import { FormFault } from './FormFault.tsx'
import classes from './TypeToConfirm.module.css'

interface TypeToConfirmProps {
  readonly title: string
  /** What has to be typed. */
  readonly name: string
  /** The button: what is done. */
  readonly action: string
  readonly isRunning: boolean
  /** Why it was refused. */
  readonly fault: string | null
  readonly onConfirm: () => void
  readonly onClose: () => void
  /** What goes. */
  readonly children: ReactNode
}

/** Asks for what cannot be undone: somebody types the name of what they mean. */
export function TypeToConfirm(props: TypeToConfirmProps) {
  const { title, name, action, isRunning, fault, onConfirm, onClose, children } = props
  const [typed, setTyped] = useState('')
  const isMeant = typed.trim() === name
  function submit(event: FormEvent) {
    event.preventDefault()
    if (isMeant) onConfirm()
  }
  return (
    <Modal opened onClose={onClose} title={title}>
      <form className={classes.form} onSubmit={submit}>
        {children}
        <TextInput
          label={`Type ${name} to confirm`}
          data-autofocus
          autoComplete="off"
          spellCheck={false}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <FormFault message={fault} />
        <div className={classes.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" color="red" disabled={!isMeant} loading={isRunning}>
            {action}
          </Button>
        </div>
      </form>
    </Modal>
  )
}
