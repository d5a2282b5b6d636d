import { Button, Modal, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useNavigate } from 'react-router'
import { fieldFault, formFault, type Refused, useAction } from '../../api/useAction.ts'
import { useSession } from '../../session/session.ts'
import { FormFault } from '../../ui/forms/FormFault.tsx'
import classes from '../../ui/forms/form.module.css'
import { CreateWorkspace } from './documents.ts'
import { WORKSPACE_PATHS } from './paths.ts'

interface NewWorkspaceDialogProps {
  readonly isOpen: boolean
  readonly onClose: () => void
  /** It has faded out. */
  readonly onExited: () => void
}

/** Makes a workspace, and leads there. */
export default function NewWorkspaceDialog({ isOpen, onClose, onExited }: NewWorkspaceDialogProps) {
  return (
    <Modal opened={isOpen} onClose={onClose} onExitTransitionEnd={onExited} title="New workspace" size="sm">
      <NewWorkspaceForm onClose={onClose} />
    </Modal>
  )
}

function NewWorkspaceForm({ onClose }: { readonly onClose: () => void }) {
  const { reload } = useSession()
  const navigate = useNavigate()
  const [name, setName] = useState('')
  /** Null as long as it follows the name. */
  const [ownSlug, setOwnSlug] = useState<string | null>(null)
  const [refused, setRefused] = useState<Refused | null>(null)
  const [run, isRunning] = useAction(CreateWorkspace, { toast: false })
  const slug = ownSlug ?? slugOf(name)

  async function submit(event: FormEvent) {
    event.preventDefault()
    const outcome = await run({ input: { name, slug } })
    setRefused(outcome.ok ? null : outcome)
    if (!outcome.ok) return
    await reload()
    onClose()
    await navigate(`/w/${outcome.payload.workspace.slug}/inbox/open`)
  }

  return (
    <form noValidate className={classes.form} onSubmit={(event) => void submit(event)}>
      <p className={classes.text}>
        A workspace has its own conversations, members, agents and keys. You become its owner.
      </p>
      <TextInput
        label="Name"
        value={name}
        maxLength={100}
        error={fieldFault(refused, 'name')}
        onChange={(event) => setName(event.currentTarget.value)}
        data-autofocus
      />
      <TextInput
        label="Address"
        description={`${location.origin}/w/${slug}`}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        value={slug}
        maxLength={60}
        error={fieldFault(refused, 'slug')}
        onChange={(event) => setOwnSlug(event.currentTarget.value)}
      />
      <FormFault message={formFault(refused, WORKSPACE_PATHS)} />
      <div className={classes.actions}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={isRunning} disabled={name.trim() === '' || slug === ''}>
          Create workspace
        </Button>
      </div>
    </form>
  )
}

/** What an address can have of a name: "Zoë & Söhne" becomes zoe-sohne. */
function slugOf(name: string): string {
  return name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
}
