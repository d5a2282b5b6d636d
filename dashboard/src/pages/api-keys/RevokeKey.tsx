import { Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { useAction } from '../../api/useAction.ts'
import type { ApiKeyFieldsFragment } from '../../generated/documents.ts'
import { ConfirmDialog } from '../../ui/forms/ConfirmDialog.tsx'
import { Time } from '../../ui/Time.tsx'
import { RevokeApiKey } from './documents.ts'

export function RevokeKey({ apiKey }: { readonly apiKey: ApiKeyFieldsFragment }) {
  const { id, name, isForAllWorkspaces, agentId, lastUsedAt } = apiKey
  const [isOpen, dialog] = useDisclosure()
  const [run] = useAction(RevokeApiKey, { toast: false })

  async function revoke() {
    const outcome = await run({ input: { apiKeyId: id } })
    if (outcome.ok) notifications.show({ message: `The key ${name} is revoked` })
    return outcome
  }

  return (
    <>
      <Button size="xs" variant="default" onClick={dialog.open}>
        Revoke<span className="visually-hidden"> {name}</span>
      </Button>
      <ConfirmDialog
        isOpen={isOpen}
        title="Revoke this key?"
        confirmLabel="Revoke key"
        onClose={dialog.close}
        onConfirm={revoke}
      >
        <p>
          Programs that use <strong>{name}</strong> get 401 immediately
          {isForAllWorkspaces ? ', in all your workspaces' : ''}. This cannot be undone.
        </p>
        {agentId !== null && <p>It belongs to an AI agent, which cannot reply until it has another key.</p>}
        <p>{lastUsedAt === null ? 'It was never used.' : <LastUsed at={lastUsedAt} />}</p>
      </ConfirmDialog>
    </>
  )
}

function LastUsed({ at }: { readonly at: string }) {
  return (
    <>
      It was last used <Time at={at} />.
    </>
  )
}
