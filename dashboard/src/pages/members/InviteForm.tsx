import { Button, Radio, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { fieldFault, formFault, type Refused, useAction } from '../../api/useAction.ts'
import type { MemberRole } from '../../generated/documents.ts'
import { FormFault } from '../../ui/forms/FormFault.tsx'
import classes from '../../ui/forms/form.module.css'
import { ROLES } from '../../viewer/roles.ts'
import { useWorkspace } from '../../viewer/workspace.ts'
import { InviteMember } from './documents.ts'

/** An invitation that was just made. */
export interface NewLink {
  readonly email: string
  /** null where it was mailed to them. */
  readonly link: string | null
  /** Whether the mail did not go out; null where none is sent. */
  readonly isUnsent: boolean | null
}

interface InviteFormProps {
  readonly onCancel: () => void
  readonly onInvited: (made: NewLink) => void
}

export function InviteForm({ onCancel, onInvited }: InviteFormProps) {
  const { role: own } = useWorkspace()
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<MemberRole>('AGENT')
  const [refused, setRefused] = useState<Refused | null>(null)
  const [run, isRunning] = useAction(InviteMember, { toast: false })

  async function submit(event: FormEvent) {
    event.preventDefault()
    const outcome = await run({ input: { email: email.trim(), role } })
    setRefused(outcome.ok ? null : outcome)
    if (!outcome.ok) return
    const { invitation, link } = outcome.payload
    const { email: to, mailStatus } = invitation
    onInvited({ email: to, link, isUnsent: mailStatus === null ? null : mailStatus !== 'SENT' })
  }

  return (
    <form noValidate className={classes.form} onSubmit={(event) => void submit(event)}>
      <TextInput
        inputMode="email"
        autoCapitalize="none"
        spellCheck={false}
        label="Email"
        description="They join with this address. A new invitation replaces the previous link."
        placeholder="name@example.com"
        autoComplete="off"
        value={email}
        error={fieldFault(refused, 'email')}
        onChange={(event) => setEmail(event.currentTarget.value)}
        data-autofocus
      />
      <Radio.Group label="Role" value={role} onChange={(value) => setRole(value as MemberRole)}>
        <div className={classes.choices}>
          {ROLES.map(({ role: value, label, means }) => {
            const isReserved = value === 'OWNER' && own !== 'OWNER'
            const description = isReserved ? 'Only owners can invite owners.' : means
            return <Radio key={value} value={value} label={label} description={description} disabled={isReserved} />
          })}
        </div>
      </Radio.Group>
      <FormFault message={formFault(refused, ['email'])} />
      <div className={classes.actions}>
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" loading={isRunning} disabled={email.trim() === ''}>
          Create invitation
        </Button>
      </div>
    </form>
  )
}
