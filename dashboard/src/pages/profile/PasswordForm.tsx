import { Button, Checkbox, PasswordInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { type FormEvent, useState } from 'react'
import { fieldFault, formFault, type Refused, useAction } from '../../api/useAction.ts'
import { FormFault } from '../../ui/forms/FormFault.tsx'
import { ChangePassword } from './documents.ts'
import classes from './forms.module.css'

interface PasswordFormProps {
  /** Without one they came by a link: there is nothing to repeat. */
  readonly hasPassword: boolean
  /** They have just come by a link: then, too. */
  readonly isReset: boolean
  readonly onChanged: () => void
}

export function PasswordForm({ hasPassword, isReset, onChanged }: PasswordFormProps) {
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const [revokeApiKeys, setRevokeApiKeys] = useState(false)
  const [refused, setRefused] = useState<Refused | null>(null)
  const isCurrentNeeded = hasPassword && !isReset
  const [run, isRunning] = useAction(ChangePassword, { toast: false })

  async function submit(event: FormEvent) {
    event.preventDefault()
    const asked = isCurrentNeeded && { currentPassword: current }
    const outcome = await run({ input: { newPassword: next, revokeApiKeys, ...asked } })
    setRefused(outcome.ok ? null : outcome)
    if (!outcome.ok) return
    setCurrent('')
    setNext('')
    notifications.show({ message: 'Password changed. Your other sessions are signed out.' })
    onChanged()
  }

  return (
    <form className={classes.form} onSubmit={(event) => void submit(event)}>
      {isCurrentNeeded && (
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
        description="At least 10 characters. Longer is stronger."
        autoComplete="new-password"
        value={next}
        error={fieldFault(refused, 'newPassword')}
        aria-invalid={fieldFault(refused, 'newPassword') !== null}
        onChange={(event) => setNext(event.currentTarget.value)}
      />
      <Checkbox
        label="Also revoke my API keys"
        description="If someone else may have them. Keys of AI agents are kept."
        checked={revokeApiKeys}
        onChange={(event) => setRevokeApiKeys(event.currentTarget.checked)}
      />
      <FormFault message={formFault(refused, ['currentPassword', 'newPassword'])} />
      <Button type="submit" loading={isRunning} disabled={next === '' || (isCurrentNeeded && current === '')}>
        {hasPassword ? 'Change password' : 'Set password'}
      </Button>
    </form>
  )
}
