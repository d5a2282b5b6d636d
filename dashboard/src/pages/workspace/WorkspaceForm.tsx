import { Button, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { type FormEvent, useState } from 'react'
import { useNavigate } from 'react-router'
import { fieldFault, formFault, type Refused, useAction } from '../../api/useAction.ts'
import type { WorkspaceFactsQuery } from '../../generated/documents.ts'
import { useSession } from '../../session/session.ts'
import { FormFault } from '../../ui/forms/FormFault.tsx'
import classes from '../../ui/forms/form.module.css'
import { UpdateWorkspace } from './documents.ts'
import { WORKSPACE_PATHS } from './paths.ts'

interface WorkspaceFormProps {
  readonly workspace: Pick<NonNullable<WorkspaceFactsQuery['workspace']>, 'name' | 'slug'>
}

export function WorkspaceForm({ workspace }: WorkspaceFormProps) {
  const { reload } = useSession()
  const navigate = useNavigate()
  const [name, setName] = useState(workspace.name)
  const [slug, setSlug] = useState(workspace.slug)
  const [refused, setRefused] = useState<Refused | null>(null)
  const [run, isRunning] = useAction(UpdateWorkspace, { toast: false })
  const isMoving = slug !== workspace.slug
  const changes = { ...(name !== workspace.name && { name }), ...(isMoving && { slug }) }

  async function submit(event: FormEvent) {
    event.preventDefault()
    const outcome = await run({ input: changes })
    setRefused(outcome.ok ? null : outcome)
    if (!outcome.ok) return
    // What was saved may be without the blanks that were typed around it.
    setName(outcome.payload.workspace.name)
    setSlug(outcome.payload.workspace.slug)
    notifications.show({ message: 'Workspace updated' })
    await reload()
    if (isMoving) await navigate(`/w/${outcome.payload.workspace.slug}/settings/workspace`, { replace: true })
  }

  return (
    <form noValidate className={`${classes.form} ${classes.narrow}`} onSubmit={(event) => void submit(event)}>
      <TextInput
        label="Name"
        value={name}
        maxLength={100}
        error={fieldFault(refused, 'name')}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <TextInput
        label="Address"
        description={`${location.origin}/w/${slug}`}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        value={slug}
        maxLength={60}
        error={fieldFault(refused, 'slug')}
        onChange={(event) => setSlug(event.currentTarget.value)}
      />
      {isMoving && (
        <p className={classes.text}>Links to the old address stop working. The API uses the id and is not affected.</p>
      )}
      <FormFault message={formFault(refused, WORKSPACE_PATHS)} />
      <Button type="submit" loading={isRunning} disabled={Object.keys(changes).length === 0}>
        Save
      </Button>
    </form>
  )
}
