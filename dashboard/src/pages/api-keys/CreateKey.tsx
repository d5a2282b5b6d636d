import { Button, Modal } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { CreateKeyForm, type NewKey } from './CreateKeyForm.tsx'
import { ShownKey } from './ShownKey.tsx'

/** The button, its dialog, and the key, which stays until somebody says that it is saved. */
export function CreateKey({ onCreated }: { readonly onCreated: () => void }) {
  const [isOpen, dialog] = useDisclosure()
  const [made, setMade] = useState<NewKey | null>(null)
  const isShown = made !== null
  return (
    <>
      <Button leftSection={<Plus size={16} aria-hidden />} onClick={dialog.open}>
        Create key
      </Button>
      <Modal
        opened={isOpen}
        onClose={dialog.close}
        title={isShown ? 'Save your key' : 'Create an API key'}
        size="lg"
        withCloseButton={!isShown}
        closeOnEscape={!isShown}
        closeOnClickOutside={!isShown}
        onExitTransitionEnd={() => setMade(null)}
      >
        {made === null ? (
          <CreateKeyForm
            onCancel={dialog.close}
            onCreated={(created) => {
              setMade(created)
              onCreated()
            }}
          />
        ) : (
          <ShownKey made={made} onSaved={dialog.close} />
        )}
      </Modal>
    </>
  )
}
