import { Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { useAction } from '../../api/useAction.ts'
import type { Pages } from '../../api/usePages.ts'
import type { InvitationsQuery } from '../../generated/documents.ts'
import { ConfirmDialog } from '../../ui/forms/ConfirmDialog.tsx'
import { Mark } from '../../ui/layout/Mark.tsx'
import { Failure } from '../../ui/states/Failure.tsx'
import { Loading } from '../../ui/states/Loading.tsx'
import { Time } from '../../ui/Time.tsx'
import tables from '../../ui/table.module.css'
import { roleName } from '../../viewer/roles.ts'
import { useWorkspace } from '../../viewer/workspace.ts'
import { InviteMember, RevokeInvitation } from './documents.ts'

export type Invitation = NonNullable<InvitationsQuery['invitations']>['edges'][number]['node']

export function InvitationTable({ pages }: { readonly pages: Pages<Invitation> }) {
  const { nodes, hasMore, isLoading, isLoadingMore, error, loadMore, reload } = pages
  if (isLoading) return <Loading lines={1} height={52} />
  return (
    <>
      {nodes.length === 0 && error === undefined && <p className={tables.dim}>No open invitations.</p>}
      {nodes.length > 0 && (
        <div className={tables.frame}>
          <table className={tables.table}>
            <caption className="visually-hidden">Open invitations</caption>
            <thead>
              <tr>
                <th scope="col">Email</th>
                <th scope="col">Role</th>
                <th scope="col">Invited</th>
                <th scope="col">Expires</th>
                <th scope="col">
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {nodes.map((invitation) => (
                <tr key={invitation.id}>
                  <td className={tables.main}>
                    {invitation.email} {isUnsent(invitation) && <Mark tone="bad" label="Email not sent" />}
                  </td>
                  <td data-label="Role">{roleName(invitation.role)}</td>
                  <td data-label="Invited">
                    <Time at={invitation.createdAt} />
                  </td>
                  <td data-label="Expires">
                    <Time at={invitation.expiresAt} />
                  </td>
                  <td className={tables.actions}>
                    {invitation.mailStatus !== null && <SendAgain invitation={invitation} onSent={reload} />}
                    <Revoke invitation={invitation} onRevoked={reload} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {error !== undefined && <Failure error={error} onRetry={reload} />}
      {hasMore && (
        <div className={tables.below}>
          <Button variant="default" loading={isLoadingMore} onClick={loadMore}>
            Load more
          </Button>
        </div>
      )}
    </>
  )
}

/** PENDING, too: the request that began the mail has ended by the time the list is read. */
function isUnsent({ mailStatus }: Invitation): boolean {
  return mailStatus === 'FAILED' || mailStatus === 'PENDING'
}

interface SendAgainProps {
  readonly invitation: Invitation
  readonly onSent: () => void
}

/** A new mail with a new link: the earlier one stops working. */
function SendAgain({ invitation: { email, role }, onSent }: SendAgainProps) {
  const { role: own } = useWorkspace()
  const [run, isRunning] = useAction(InviteMember)

  async function send() {
    const outcome = await run({ input: { email, role } })
    if (!outcome.ok) return
    const wasSent = outcome.payload.invitation.mailStatus === 'SENT'
    notifications.show(
      wasSent
        ? { message: `Invitation sent to ${email}` }
        : { color: 'red', message: `Couldn't send the email to ${email}` },
    )
    onSent()
  }

  return (
    <Button
      size="xs"
      variant="default"
      loading={isRunning}
      disabled={role === 'OWNER' && own !== 'OWNER'}
      onClick={() => void send()}
    >
      Send again<span className="visually-hidden"> to {email}</span>
    </Button>
  )
}

interface RevokeProps {
  readonly invitation: Invitation
  readonly onRevoked: () => void
}

function Revoke({ invitation: { id, email, role }, onRevoked }: RevokeProps) {
  const { role: own } = useWorkspace()
  const [isOpen, dialog] = useDisclosure()
  const [run] = useAction(RevokeInvitation, { toast: false })
  const fixed = role === 'OWNER' && own !== 'OWNER' ? 'Only owners can revoke an invitation for an owner.' : null

  async function revoke() {
    const outcome = await run({ input: { invitationId: id } })
    if (outcome.ok) {
      notifications.show({ message: `Invitation for ${email} revoked` })
      onRevoked()
    }
    return outcome
  }

  return (
    <>
      <Button size="xs" variant="default" disabled={fixed !== null} title={fixed ?? undefined} onClick={dialog.open}>
        Revoke<span className="visually-hidden"> the invitation of {email}</span>
      </Button>
      <ConfirmDialog
        isOpen={isOpen}
        title="Revoke this invitation?"
        confirmLabel="Revoke invitation"
        onClose={dialog.close}
        onConfirm={revoke}
      >
        <p>
          The link for <strong>{email}</strong> stops working immediately. You can invite them again at any time.
        </p>
      </ConfirmDialog>
    </>
  )
}
