import { Button, PasswordInput, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useSearchParams } from 'react-router'
import { signIn } from '../../session/auth.ts'
import { MailLink } from '../../session/MailLink.tsx'
import { ownAddress } from '../../session/ownAddress.ts'
import { FormFault } from '../../ui/forms/FormFault.tsx'
import classes from '../../ui/layout/Door.module.css'
import { Door } from '../../ui/layout/Door.tsx'

const LINK_REFUSED =
  'This sign-in link has expired or was already used. Sign in with your password, or ask for a new link.'

export function Component() {
  const [params] = useSearchParams()
  const [fault, setFault] = useState<string | null>(params.has('error') ? LINK_REFUSED : null)
  const [email, setEmail] = useState('')
  const [isRunning, setRunning] = useState(false)

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    setRunning(true)
    const failure = await signIn(text(form, 'email'), text(form, 'password'))
    setRunning(false)
    setFault(failure)
    if (failure === null) location.assign(ownAddress(params.get('next'), location.origin))
  }

  return (
    <Door title="Sign in to GudDesk">
      <form className={classes.form} onSubmit={(event) => void submit(event)}>
        <TextInput
          name="email"
          inputMode="email"
          autoCapitalize="none"
          spellCheck={false}
          label="Email"
          autoComplete="username"
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
          required
          autoFocus
          withAsterisk={false}
        />
        <PasswordInput name="password" label="Password" autoComplete="current-password" required withAsterisk={false} />
        <FormFault message={fault} />
        <Button type="submit" loading={isRunning} fullWidth>
          Sign in
        </Button>
        <MailLink email={email} />
      </form>
    </Door>
  )
}

function text(form: FormData, name: string): string {
  const value = form.get(name)
  return typeof value === 'string' ? value : ''
}
