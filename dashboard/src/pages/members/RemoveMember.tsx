import { Button, Checkbox } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import { useQuery } from 'urql'
import { useAction } from '../../api/useAction.ts'
import type { MemberRemovalQuery } from '../../generated/documents.ts'
import { ConfirmDialog } from '../../ui/forms/ConfirmDialog.tsx'
import { useWorkspace } from '../../viewer/workspace.ts'
import { MemberRemoval, RemoveMember as Remove } from './documents.ts'
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
  const [endAccess, setEndAccess] = useState(false)
  const [run] = useAction(Remove, { toast: false })
  const [{ data }] = useQuery({
    query: MemberRemoval,
    variables: { id },
    pause: !isOpen,
    requestPolicy: 'network-only',
  })
  const isSelf = id === memberId
  const made = data?.memberRemoval == null ? [] : madeBy(data.memberRemoval)

  async function remove() {
    const outcome = await run({ input: { memberId: id, endAccess } })
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
          {isSelf ? (
            'You lose'
          ) : (
            <>
              <strong>{name}</strong> loses
            </>
          )}{' '}
          access to <strong>{workspace.name}</strong> immediately:
        </p>
        <ul>
          <li>Conversations assigned to {isSelf ? 'you' : 'them'} become unassigned.</li>
          <li>{isSelf ? 'Your' : 'Their'} API keys stop working here.</li>
          <li>{isSelf ? 'Your' : 'Their'} messages are kept.</li>
        </ul>
        {made.length > 0 && (
          <>
            <p>{isSelf ? 'You' : 'They'} created these, which still give access to this workspace:</p>
            <ul aria-label="Remaining access">
              {made.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
            <Checkbox
              label="Remove these too"
              description="Uninstalls agents and removes endpoints with their pending deliveries. Otherwise agents, endpoints and invitations keep working."
              checked={endAccess}
              onChange={(event) => setEndAccess(event.currentTarget.checked)}
            />
          </>
        )}
      </ConfirmDialog>
    </>
  )
}

function madeBy(made: NonNullable<MemberRemovalQuery['memberRemoval']>): string[] {
  return [
    ...named(made.agentNames, made.agentCount, 'the AI agent', 'AI agents'),
    ...named(made.webhookUrls, made.webhookEndpointCount, 'the webhook', 'webhooks'),
    ...named(made.apiKeyNames, made.apiKeyCount, 'the API key', 'API keys'),
    ...named(made.invitedEmails, made.invitationCount, 'the invitation for', 'invitations'),
  ]
}

/** A line for each name, and one for those that are only counted. */
function named(names: readonly string[], count: number, one: string, several: string): string[] {
  const others = count - names.length
  return [
    ...names.map((name) => `${one} ${name}`),
    ...(others > 0 ? [`${others.toLocaleString()} more ${several}`] : []),
  ]
}
