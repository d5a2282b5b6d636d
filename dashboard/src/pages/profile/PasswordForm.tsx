import { Button, PasswordInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { type FormEvent, useState } from 'react'
import { fieldFault, formFault, type Refused, useAction } from '../../api/useAction.ts'
import { FormFault } from '../../ui/FormFault.tsx'
import { ChangePassword } from './documents.ts'
import classes from './forms.module.css'

interface PasswordFormProps {
  /** Without one they came by a link: there is nothing to repeat. */
  readonly hasPassword: boolean
  readonly onChanged: () => void
}

export function PasswordForm({ hasPassword, onChanged }: PasswordFormProps) {
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const [refused, setRefused] = useState<Refused | null>(null)
  const [run, isRunning] = useAction(ChangePassword, { toast: false })

  async function submit(event: FormEvent) {
    event.preventDefault()
    const outcome = await run({ input: { newPassword: next, ...(hasPassword && { currentPassword: current }) } })
    setRefused(outcome.ok ? null : outcome)
    if (!outcome.ok) return
    setCurrent('')
    setNext('')
    notifications.show({ message: 'Your password is changed. Your other sessions have ended.' })
    onChanged()
  }

  return (
    <form className={classes.form} onSubmit={(event) => void submit(event)}>
      {hasPassword && (
        <PasswordInput
          label="Current password"
          autoComplete="current-password"
          value={current}
          error={fieldFault(refused, 'currentPassword')}
          aria-invalid={fieldFault(refused, 'currentPassword') !== null}
          onChange={(event) => setCurrent(event.currentTarget.value)}
        />
      )}
      <PasswordInput
        label="New password"
        description="10 characters or more. Long beats complicated."
        autoComplete="new-password"
        value={next}
        error={fieldFault(refused, 'newPassword')}
        aria-invalid={fieldFault(refused, 'newPassword') !== null}
        onChange={(event) => setNext(event.currentTarget.value)}
      />
      <FormFault message={formFault(refused, ['currentPassword', 'newPassword'])} />
      <Button type="submit" loading={isRunning} disabled={next === '' || (hasPassword && current === '')}>
        {hasPassword ? 'Change password' : 'Set password'}
      </Button>
    </form>
  )
}
