import { Button, Menu } from '@mantine/core'
import { Ellipsis, History, KeyRound, Pencil, Power, Send, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useAction } from '../../../api/useAction.ts'
import { SendTest } from '../../../deliveries/SendTest.tsx'
import { DisableEndpoint, EnableEndpoint } from '../../../endpoints/documents.ts'
import { RotateSecretDialog } from '../../../endpoints/RotateSecretDialog.tsx'
import type { EndpointFieldsFragment } from '../../../generated/documents.ts'
import { DeleteEndpointDialog } from '../DeleteEndpointDialog.tsx'
import { EditEndpoint } from './EditEndpoint.tsx'
import { ReplayFailedDialog } from './ReplayFailedDialog.tsx'

type Opened = 'test' | 'edit' | 'rotate' | 'replay' | 'delete'

export function EndpointActions({ endpoint }: { readonly endpoint: EndpointFieldsFragment }) {
  const [opened, setOpened] = useState<Opened | null>(null)
  const [enable] = useAction(EnableEndpoint)
  const [disable] = useAction(DisableEndpoint)
  const input = { input: { endpointId: endpoint.id } }
  const close = () => setOpened(null)
  return (
    <>
      <Button leftSection={<Send size={15} aria-hidden />} onClick={() => setOpened('test')}>
        Send test event
      </Button>
      <Button variant="default" leftSection={<Pencil size={15} aria-hidden />} onClick={() => setOpened('edit')}>
        Edit
      </Button>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" px="xs" aria-label="More actions">
            <Ellipsis size={16} aria-hidden />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<KeyRound size={15} aria-hidden />} onClick={() => setOpened('rotate')}>
            Rotate secret
          </Menu.Item>
          <Menu.Item leftSection={<History size={15} aria-hidden />} onClick={() => setOpened('replay')}>
            Replay failed deliveries
          </Menu.Item>
          <Menu.Item
            leftSection={<Power size={15} aria-hidden />}
            onClick={() => void (endpoint.isEnabled ? disable(input) : enable(input))}
          >
            {endpoint.isEnabled ? 'Disable' : 'Enable'}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item color="red" leftSection={<Trash2 size={15} aria-hidden />} onClick={() => setOpened('delete')}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {opened === 'test' && <SendTest endpointId={endpoint.id} onClose={close} />}
      {opened === 'edit' && <EditEndpoint endpoint={endpoint} onClose={close} />}
      {opened === 'rotate' && <RotateSecretDialog endpoint={endpoint} onClose={close} />}
      {opened === 'replay' && <ReplayFailedDialog endpoint={endpoint} onClose={close} />}
      {opened === 'delete' && <DeleteEndpointDialog endpoint={endpoint} onClose={close} />}
    </>
  )
}
