import { Button, PasswordInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { type FormEvent, useState } from 'react'
import { type Refused, useAction } from '../../api/useAction.ts'
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
  const faultOf = (path: string) => refused?.fields.find((field) => field.path === path)?.message

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
          error={faultOf('currentPassword')}
          aria-invalid={faultOf('currentPassword') !== undefined}
          onChange={(event) => setCurrent(event.currentTarget.value)}
        />
      )}
      <PasswordInput
        label="New password"
        description="10 characters or more. Long beats complicated."
        autoComplete="new-password"
        value={next}
        error={faultOf('newPassword')}
        aria-invalid={faultOf('newPassword') !== undefined}
        onChange={(event) => setNext(event.currentTarget.value)}
      />
      <FormFault message={refused === null || refused.fields.length > 0 ? null : refused.message} />
      <Button type="submit" loading={isRunning} disabled={next === '' || (hasPassword && current === '')}>
        {hasPassword ? 'Change password' : 'Set password'}
      </Button>
    </form>
  )
}
