import { Button, NativeSelect, Radio, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { fieldFault, formFault, type Refused, useAction } from '../../api/useAction.ts'
import type { ApiKeyPermission } from '../../generated/documents.ts'
import { useSession } from '../../session/session.ts'
import { FormFault } from '../../ui/forms/FormFault.tsx'
import classes from '../../ui/forms/form.module.css'
import { useWorkspace } from '../../viewer/workspace.ts'
import { CreateApiKey } from './documents.ts'
import { EXPIRIES, type Expiry, expiresAt, tomorrow } from './expiry.ts'
import { PERMISSIONS } from './permissions.ts'

/** A key that was just made. */
export interface NewKey {
  readonly key: string
  readonly isForAllWorkspaces: boolean
}

interface CreateKeyFormProps {
  readonly onCancel: () => void
  readonly onCreated: (made: NewKey) => void
}

export function CreateKeyForm({ onCancel, onCreated }: CreateKeyFormProps) {
  const { workspace } = useWorkspace()
  const { isEmailVerified } = useSession().session.user
  const [name, setName] = useState('')
  const [permission, setPermission] = useState<ApiKeyPermission>('READ_WRITE')
  const [isForAllWorkspaces, setForAllWorkspaces] = useState(false)
  const [expiry, setExpiry] = useState<Expiry>('90')
  const [date, setDate] = useState('')
  const [refused, setRefused] = useState<Refused | null>(null)
  const [run, isRunning] = useAction(CreateApiKey, { toast: false })

  async function submit(event: FormEvent) {
    event.preventDefault()
    const ends = expiresAt(expiry, date, new Date())
    const outcome = await run({
      input: { name, permission, isForAllWorkspaces, ...(ends !== null && { expiresAt: ends }) },
    })
    setRefused(outcome.ok ? null : outcome)
    if (outcome.ok) onCreated({ key: outcome.payload.key, isForAllWorkspaces })
  }

  return (
    <form noValidate className={classes.form} onSubmit={(event) => void submit(event)}>
      <TextInput
        label="Name"
        description="The program that uses this key."
        placeholder="Nightly export"
        maxLength={100}
        value={name}
        error={fieldFault(refused, 'name')}
        onChange={(event) => setName(event.currentTarget.value)}
        data-autofocus
      />
      <Radio.Group label="Permission" value={permission} onChange={(value) => setPermission(value as ApiKeyPermission)}>
        <div className={classes.choices}>
          {PERMISSIONS.map(({ permission: value, label, means }) => (
            <Radio key={value} value={value} label={label} description={means} />
          ))}
        </div>
      </Radio.Group>
      <Radio.Group
        label="Works in"
        value={isForAllWorkspaces ? 'all' : 'one'}
        onChange={(value) => setForAllWorkspaces(value === 'all')}
      >
        <div className={classes.choices}>
          <Radio value="one" label={`${workspace.name} only`} />
          <Radio
            value="all"
            label="All your workspaces"
            description={
              isEmailVerified
                ? 'Each request must name its workspace.'
                : 'Verify your email address in your profile first.'
            }
            disabled={!isEmailVerified}
          />
        </div>
      </Radio.Group>
      <NativeSelect
        label="Expires"
        data={[...EXPIRIES]}
        value={expiry}
        error={expiry === 'date' ? undefined : fieldFault(refused, 'expiresAt')}
        onChange={(event) => setExpiry(event.currentTarget.value as Expiry)}
      />
      {expiry === 'date' && (
        <TextInput
          type="date"
          label="Last day"
          min={tomorrow(new Date())}
          value={date}
          error={fieldFault(refused, 'expiresAt')}
          onChange={(event) => setDate(event.currentTarget.value)}
        />
      )}
      <FormFault message={formFault(refused, ['name', 'expiresAt'])} />
      <div className={classes.actions}>
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" loading={isRunning} disabled={name.trim() === '' || (expiry === 'date' && date === '')}>
          Create key
        </Button>
      </div>
    </form>
  )
}
