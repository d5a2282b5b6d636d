import { Button, Popover } from '@mantine/core'
import { useDisclosure, useHotkeys } from '@mantine/hooks'
import { UserPlus } from 'lucide-react'
import { lazy, Suspense } from 'react'
import { Face } from '../../../../ui/Face.tsx'
import { Loading } from '../../../../ui/states/Loading.tsx'
import classes from './menus.module.css'

const MemberPicker = lazy(() => import('./MemberPicker.tsx'))

interface AssignMenuProps {
  readonly assignee: { readonly id: string; readonly displayName: string } | null
  /** A member's id; null for nobody. */
  readonly onAssign: (memberId: string | null) => void
}

export function AssignMenu({ assignee, onAssign }: AssignMenuProps) {
  const [isOpen, popover] = useDisclosure()
  useHotkeys([['a', popover.open]])
  return (
    <Popover
      width={240}
      position="bottom-end"
      opened={isOpen}
      onChange={(open) => (open ? popover.open() : popover.close())}
      trapFocus
      returnFocus
    >
      <Popover.Target>
        <Button
          size="xs"
          variant="subtle"
          color="gray"
          leftSection={
            assignee === null ? <UserPlus size={14} aria-hidden /> : <Face name={assignee.displayName} size={18} />
          }
          onClick={popover.toggle}
        >
          {assignee !== null && <span className="visually-hidden">Assigned to</span>}
          <span className={classes.label}>{assignee?.displayName ?? 'Assign'}</span>
        </Button>
      </Popover.Target>
      <Popover.Dropdown p={4} aria-label="Assign">
        <Suspense fallback={<Loading lines={3} height={30} />}>
          <MemberPicker
            assigneeId={assignee?.id ?? null}
            onPick={(memberId) => {
              popover.close()
              onAssign(memberId)
            }}
          />
        </Suspense>
      </Popover.Dropdown>
    </Popover>
  )
}
