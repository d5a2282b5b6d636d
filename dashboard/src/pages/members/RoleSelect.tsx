import { NativeSelect } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'
import { useClient } from 'urql'
import { type Outcome, useAction } from '../../api/useAction.ts'
import type { MemberRole, MembersQuery } from '../../generated/documents.ts'
import { ConfirmDialog } from '../../ui/forms/ConfirmDialog.tsx'
import { mayManage, ROLES, roleName } from '../../viewer/roles.ts'
import { useWorkspace } from '../../viewer/workspace.ts'
import { ChangeMemberRole, OwnRole } from './documents.ts'

export type Member = NonNullable<NonNullable<MembersQuery['workspace']>['members']>['edges'][number]['node']

interface RoleSelectProps {
  readonly member: Member
  /** Why it cannot be changed, if so. */
  readonly fixed: string | null
}

export function RoleSelect({ member, fixed }: RoleSelectProps) {
  const { id, name, role } = member
  const { role: own, memberId } = useWorkspace()
  const isSelf = id === memberId
  const client = useClient()
  const [asked, setAsked] = useState<MemberRole>(role)
  const [isOpen, dialog] = useDisclosure()
  const [run, isRunning] = useAction(ChangeMemberRole, { toast: !isSelf })

  async function change(to: MemberRole): Promise<Outcome<unknown>> {
    const outcome = await run({ input: { memberId: id, role: to } })
    // The rest of the page goes by it.
    if (outcome.ok && isSelf) await client.query(OwnRole, {}, { requestPolicy: 'network-only' }).toPromise()
    return outcome
  }

  function choose(to: MemberRole) {
    setAsked(to)
    if (isSelf) dialog.open()
    else void change(to)
  }

  return (
    <>
      <NativeSelect
        size="xs"
        aria-label={`Role of ${name}`}
        value={isRunning ? asked : role}
        disabled={fixed !== null || isRunning}
        description={fixed}
        inputWrapperOrder={['input', 'description']}
        data={ROLES.map(({ role: value, label }) => {
          const isReserved = value === 'OWNER' && own !== 'OWNER' && role !== 'OWNER'
          return { value, label: isReserved ? `${label} (made by owners)` : label, disabled: isReserved }
        })}
        onChange={(event) => choose(event.currentTarget.value as MemberRole)}
      />
      <ConfirmDialog
        isOpen={isOpen}
        title="Change your own role?"
        confirmLabel={`Become ${roleName(asked)}`}
        onClose={dialog.close}
        onConfirm={() => change(asked)}
      >
        <p>
          Your role changes from {roleName(role)} to <strong>{roleName(asked)}</strong>.
          {mayManage(asked) ? '' : ' You can no longer manage members, keys or webhooks.'} Only another member can undo
          this.
        </p>
      </ConfirmDialog>
    </>
  )
}
