import { Button, Combobox, useCombobox } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { Check, UserPlus } from 'lucide-react'
import { useState } from 'react'
import { useQuery } from 'urql'
import { useWorkspace } from '../../../shell/workspace.ts'
import { Face } from '../../../ui/Face.tsx'
import { WorkspaceMembers } from '../documents.ts'
import classes from './menus.module.css'

const NOBODY = 'nobody'

interface AssignMenuProps {
  readonly assignee: { readonly id: string; readonly name: string } | null
  /** A member's id; null for nobody. */
  readonly onAssign: (memberId: string | null) => void
}

export function AssignMenu({ assignee, onAssign }: AssignMenuProps) {
  const { memberId } = useWorkspace()
  const [{ data }] = useQuery({ query: WorkspaceMembers, requestPolicy: 'cache-and-network' })
  const [search, setSearch] = useState('')
  const combobox = useCombobox({
    onDropdownOpen: () => combobox.focusSearchInput(),
    onDropdownClose: () => {
      setSearch('')
      combobox.resetSelectedOption()
      combobox.focusTarget()
    },
  })
  useHotkeys([['a', () => combobox.openDropdown()]])

  const own = (id: string) => (id === memberId ? 0 : 1)
  const members = [...(data?.workspace.members ?? [])]
    .sort((a, b) => own(a.id) - own(b.id) || a.name.localeCompare(b.name))
    .filter(({ name, email }) => `${name} ${email}`.toLowerCase().includes(search.trim().toLowerCase()))

  return (
    <Combobox
      store={combobox}
      width={240}
      position="bottom-end"
      onOptionSubmit={(value) => {
        onAssign(value === NOBODY ? null : value)
        combobox.closeDropdown()
      }}
    >
      <Combobox.Target targetType="button">
        <Button
          size="xs"
          variant="subtle"
          color="gray"
          leftSection={assignee === null ? <UserPlus size={14} aria-hidden /> : <Face name={assignee.name} size={18} />}
          onClick={() => combobox.toggleDropdown()}
        >
          {assignee !== null && <span className="visually-hidden">Assigned to</span>}
          <span className={classes.label}>{assignee?.name ?? 'Assign'}</span>
        </Button>
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Search
          value={search}
          onChange={(event) => {
            setSearch(event.currentTarget.value)
            combobox.selectFirstOption()
          }}
          placeholder="Who takes it?"
          aria-label="Search members"
        />
        <Combobox.Options mah={260} className={classes.options ?? ''} aria-label="Members">
          {members.map(({ id, name }) => (
            <Combobox.Option key={id} value={id}>
              <span className={classes.option}>
                <Face name={name} size={20} />
                {name}
                {id === memberId && <span className={classes.dim}>you</span>}
                {id === assignee?.id && <Check size={14} aria-label="current" className={classes.end} />}
              </span>
            </Combobox.Option>
          ))}
          {assignee !== null && <Combobox.Option value={NOBODY}>Nobody</Combobox.Option>}
          {members.length === 0 && <Combobox.Empty>Nobody of that name</Combobox.Empty>}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  )
}
