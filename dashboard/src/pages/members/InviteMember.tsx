import { Button, Modal } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { UserPlus } from 'lucide-react'
import { useState } from 'react'
import { CopyField } from '../../ui/CopyField.tsx'
import classes from '../../ui/form.module.css'
import { InviteForm, type NewLink } from './InviteForm.tsx'

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
        title={made === null ? 'Invite somebody' : 'The invitation is ready'}
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
            <p className={classes.text}>
              Send this link to <strong>{made.email}</strong> yourself: no mail is sent. It is shown only now and works
              for 7 days. If it gets lost, invite them again.
            </p>
            <CopyField label="Link" value={made.link} isLong />
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
