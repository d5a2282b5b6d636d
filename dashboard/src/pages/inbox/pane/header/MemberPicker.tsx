import { Combobox, TextInput, useCombobox } from '@mantine/core'
import { Check } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useAllPages } from '../../../../api/useAllPages.ts'
import { WorkspaceMembers } from '../../../../conversations/documents.ts'
import type { WorkspaceMembersQuery } from '../../../../generated/documents.ts'
import { Face } from '../../../../ui/Face.tsx'
import { useWorkspace } from '../../../../viewer/workspace.ts'
import classes from './menus.module.css'

const NOBODY = 'nobody'
const PAGE_SIZE = { first: 100 }
const connectionOf = ({ workspace }: WorkspaceMembersQuery) => workspace?.members ?? null

interface MemberPickerProps {
  readonly assigneeId: string | null
  /** A member's id; null for nobody. */
  readonly onPick: (memberId: string | null) => void
}

/** The members by name, oneself first. */
export default function MemberPicker({ assigneeId, onPick }: MemberPickerProps) {
  const { memberId } = useWorkspace()
  const { nodes } = useAllPages(WorkspaceMembers, PAGE_SIZE, connectionOf)
  const [search, setSearch] = useState('')
  // Always open: the popover around it is what opens and closes.
  const combobox = useCombobox({ opened: true })
  const own = (id: string) => (id === memberId ? 0 : 1)
  const members = [...nodes]
    .sort((a, b) => own(a.id) - own(b.id) || a.displayName.localeCompare(b.displayName))
    .filter(({ displayName, email }) => `${displayName} ${email}`.toLowerCase().includes(search.trim().toLowerCase()))

  // Enter takes the first that is found.
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever others are found
  useEffect(() => void combobox.selectFirstOption(), [search, nodes.length])

  return (
    <Combobox store={combobox} onOptionSubmit={(value) => onPick(value === NOBODY ? null : value)}>
      <Combobox.EventsTarget>
        <TextInput
          autoFocus
          size="xs"
          mb={4}
          placeholder="Assign to…"
          aria-label="Search members"
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
      </Combobox.EventsTarget>
      <Combobox.Options mah={260} className={classes.options ?? ''} aria-label="Members">
        {members.map(({ id, displayName }) => (
          <Combobox.Option key={id} value={id}>
            <span className={classes.option}>
              <Face name={displayName} size={20} />
              {displayName}
              {id === memberId && <span className={classes.dim}>you</span>}
              {id === assigneeId && <Check size={14} aria-label="current" className={classes.end} />}
            </span>
          </Combobox.Option>
        ))}
        {assigneeId !== null && <Combobox.Option value={NOBODY}>Nobody</Combobox.Option>}
        {members.length === 0 && <Combobox.Empty>No matching members</Combobox.Empty>}
      </Combobox.Options>
    </Combobox>
  )
}
