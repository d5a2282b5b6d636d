import { Button, Menu } from '@mantine/core'
import { Ellipsis, KeyRound, Pencil, Send, Signature, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { SendTest } from '../../../deliveries/SendTest.tsx'
import { RotateSecretDialog } from '../../../endpoints/RotateSecretDialog.tsx'
import type { AgentFieldsFragment } from '../../../generated/documents.ts'
import { usePermissions } from '../../../viewer/permissions.ts'
import { endpointsOf } from '../agentDraft.ts'
import { EditAgent } from './EditAgent.tsx'
import { RotateKeyDialog } from './RotateKeyDialog.tsx'
import { UninstallAgentDialog } from './UninstallAgentDialog.tsx'

type Opened = 'test' | 'edit' | 'key' | 'secret' | 'uninstall'

/** Everybody who writes may edit; the rest is for owners and admins. */
export function AgentActions({ agent }: { readonly agent: AgentFieldsFragment }) {
  const { mayManage } = usePermissions()
  const [opened, setOpened] = useState<Opened | null>(null)
  const close = () => setOpened(null)
  const [endpoint] = endpointsOf(agent)
  return (
    <>
      {mayManage && endpoint !== undefined && (
        <Button leftSection={<Send size={15} aria-hidden />} onClick={() => setOpened('test')}>
          Test
        </Button>
      )}
      <Button variant="default" leftSection={<Pencil size={15} aria-hidden />} onClick={() => setOpened('edit')}>
        Edit
      </Button>
      {mayManage && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button variant="default" px="xs" aria-label="More actions">
              <Ellipsis size={16} aria-hidden />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<KeyRound size={15} aria-hidden />} onClick={() => setOpened('key')}>
              Rotate API key
            </Menu.Item>
            {endpoint !== undefined && (
              <Menu.Item leftSection={<Signature size={15} aria-hidden />} onClick={() => setOpened('secret')}>
                Rotate signing secret
              </Menu.Item>
            )}
            <Menu.Divider />
            <Menu.Item
              color="red"
              leftSection={<Trash2 size={15} aria-hidden />}
              onClick={() => setOpened('uninstall')}
            >
              Uninstall
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      {opened === 'test' && endpoint !== undefined && <SendTest endpointId={endpoint.id} onClose={close} />}
      {opened === 'edit' && <EditAgent agent={agent} onClose={close} />}
      {opened === 'key' && <RotateKeyDialog agent={agent} onClose={close} />}
      {opened === 'secret' && endpoint !== undefined && <RotateSecretDialog endpoint={endpoint} onClose={close} />}
      {opened === 'uninstall' && <UninstallAgentDialog agent={agent} onClose={close} />}
    </>
  )
}
