import { Button, Modal } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { UserPlus } from 'lucide-react'
import { useState } from 'react'
import { CopyField } from '../../ui/copy/CopyField.tsx'
import { FormFault } from '../../ui/forms/FormFault.tsx'
import classes from '../../ui/forms/form.module.css'
import { InviteForm, type NewLink } from './InviteForm.tsx'

function titleOf(made: NewLink | null): string {
  if (made === null) return 'Invite a member'
  return made.isUnsent ? "Couldn't send the email" : 'Invitation created'
}

/** What became of the invitation: a link to hand over, or a mail. */
function Invited({ made: { email, link, isUnsent } }: { readonly made: NewLink }) {
  if (isUnsent) {
    return (
      <FormFault
        message={`The email to ${email} could not be sent. Try "Send again" in the list, or ask your server administrator.`}
      />
    )
  }
  if (link === null) {
    return (
      <p className={classes.text}>
        An email with a link is on its way to <strong>{email}</strong>. The link works for 7 days. If it gets lost, send
        it again.
      </p>
    )
  }
  return (
    <>
      <p className={classes.text}>
        Send this link to <strong>{email}</strong> yourself: no email is sent. It is shown only once and works for 7
        days. If it gets lost, invite them again.
      </p>
      <CopyField label="Link" value={link} isLong />
    </>
  )
}

/** The button, its dialog, and the link, which nobody but the asker sees. */
export function InviteMember({ onInvited }: { readonly onInvited: () => void }) {
  const [isOpen, dialog] = useDisclosure()
  const [made, setMade] = useState<NewLink | null>(null)
  return (
    <>
      <Button leftSection={<UserPlus size={16} aria-hidden />} onClick={dialog.open}>
        Invite
      </Button>
      <Modal
        opened={isOpen}
        onClose={dialog.close}
        title={titleOf(made)}
        size="md"
        // A click beside it must not lose the link.
        closeOnClickOutside={made === null}
        onExitTransitionEnd={() => setMade(null)}
      >
        {made === null ? (
          <InviteForm
            onCancel={dialog.close}
            onInvited={(link) => {
              setMade(link)
              onInvited()
            }}
          />
        ) : (
          <div className={classes.form}>
            <Invited made={made} />
            <div className={classes.actions}>
              <Button variant="default" onClick={() => setMade(null)}>
                Invite another
              </Button>
              <Button onClick={dialog.close}>Done</Button>
            </div>
          </div>
        )}
      </Modal>
    </>
  )
}
