import { Button, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { type FormEvent, useState } from 'react'
import { fieldFault, useAction } from '../../api/useAction.ts'
import { type SessionUser, useSession } from '../../session/session.ts'
import { UpdateProfile } from './documents.ts'
import classes from './forms.module.css'

export function NameForm({ user }: { readonly user: Pick<SessionUser, 'name' | 'email'> }) {
  const { reload } = useSession()
  const [name, setName] = useState(user.name)
  const [fault, setFault] = useState<string | null>(null)
  const [run, isRunning] = useAction(UpdateProfile, { toast: false })

  async function submit(event: FormEvent) {
    event.preventDefault()
    const outcome = await run({ input: { name } })
    setFault(outcome.ok ? null : (fieldFault(outcome, 'name') ?? outcome.message))
    if (!outcome.ok) return
    notifications.show({ message: 'Name updated' })
    await reload()
  }

  return (
    <form className={classes.form} onSubmit={(event) => void submit(event)}>
      <TextInput
        label="Name"
        autoComplete="name"
        value={name}
        error={fault}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <TextInput label="Email" description="You sign in with this address." value={user.email} readOnly />
      <Button type="submit" loading={isRunning} disabled={name.trim() === '' || name === user.name}>
        Save
      </Button>
    </form>
  )
}
