import { Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { useAction } from '../../api/useAction.ts'
import { useWorkspace } from '../../shell/workspace.ts'
import { ConfirmDialog } from '../../ui/ConfirmDialog.tsx'
import { RemoveMember as Remove } from './documents.ts'
import type { Member } from './RoleSelect.tsx'

interface RemoveMemberProps {
  readonly member: Member
  /** Why they cannot be removed, if so. */
  readonly fixed: string | null
  readonly onRemoved: () => void
}

/** Of oneself: leaving. */
export function RemoveMember({ member: { id, name }, fixed, onRemoved }: RemoveMemberProps) {
  const { memberId, workspace } = useWorkspace()
  const [isOpen, dialog] = useDisclosure()
  const [run] = useAction(Remove, { toast: false })
  const isSelf = id === memberId

  async function remove() {
    const outcome = await run({ input: { memberId: id } })
    if (!outcome.ok) return outcome
    // Nothing here answers any more: begin anew, where they still belong.
    if (isSelf) location.assign('/')
    else {
      notifications.show({ message: `${name} is not a member any more` })
      onRemoved()
    }
    return outcome
  }

  return (
    <>
      <Button size="xs" variant="default" disabled={fixed !== null} title={fixed ?? undefined} onClick={dialog.open}>
        {isSelf ? 'Leave' : 'Remove'}
        <span className="visually-hidden"> {isSelf ? workspace.name : name}</span>
      </Button>
      <ConfirmDialog
        isOpen={isOpen}
        title={isSelf ? `Leave ${workspace.name}?` : `Remove ${name}?`}
        confirmLabel={isSelf ? 'Leave workspace' : 'Remove member'}
        onClose={dialog.close}
        onConfirm={remove}
      >
        <p>
          {isSelf ? 'You' : <strong>{name}</strong>} will not see <strong>{workspace.name}</strong> any more, at once:
        </p>
        <ul>
          <li>Conversations assigned to {isSelf ? 'you' : 'them'} become unassigned.</li>
          <li>{isSelf ? 'Your' : 'Their'} API keys stop working here.</li>
          <li>What {isSelf ? 'you' : 'they'} wrote stays.</li>
        </ul>
      </ConfirmDialog>
    </>
  )
}
