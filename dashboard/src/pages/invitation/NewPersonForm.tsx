import { Button, PasswordInput, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { fieldFault, formFault, type Refused, useAction } from '../../api/useAction.ts'
import { signIn } from '../../session/auth.ts'
import { FormFault } from '../../ui/forms/FormFault.tsx'
import classes from '../../ui/layout/Door.module.css'
import { AcceptInvitation } from './documents.ts'

interface NewPersonFormProps {
  readonly token: string
  readonly email: string
}

/** For somebody who has no account: a name, a password, and in. */
export function NewPersonForm({ token, email }: NewPersonFormProps) {
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [refused, setRefused] = useState<Refused | null>(null)
  const [run, isRunning] = useAction(AcceptInvitation, { toast: false })

  async function submit(event: FormEvent) {
    event.preventDefault()
    const outcome = await run({ input: { token, name, password } })
    setRefused(outcome.ok ? null : outcome)
    if (!outcome.ok) return
    const failure = await signIn(email, password)
    location.assign(failure === null ? '/' : '/sign-in')
  }

  return (
    <form className={classes.form} onSubmit={(event) => void submit(event)}>
      {/* For password managers, which file the password under it. */}
      <input type="hidden" name="email" autoComplete="username" value={email} />
      <TextInput
        label="Your name"
        autoComplete="name"
        autoFocus
        value={name}
        error={fieldFault(refused, 'name')}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <PasswordInput
        label="Choose a password"
        description="At least 10 characters. Longer is stronger."
        autoComplete="new-password"
        value={password}
        error={fieldFault(refused, 'password')}
        aria-invalid={fieldFault(refused, 'password') !== null}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <FormFault message={formFault(refused, ['name', 'password'])} />
      <Button type="submit" loading={isRunning} disabled={name.trim() === '' || password === ''} fullWidth>
        Join
      </Button>
    </form>
  )
}
