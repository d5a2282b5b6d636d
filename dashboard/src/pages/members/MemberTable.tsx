import { Badge } from '@mantine/core'
import { Face } from '../../ui/Face.tsx'
import { Mark } from '../../ui/layout/Mark.tsx'
import { Time } from '../../ui/Time.tsx'
import tables from '../../ui/table.module.css'
import { mayManage, roleName } from '../../viewer/roles.ts'
import { useWorkspace } from '../../viewer/workspace.ts'
import classes from './MemberTable.module.css'
import { RemoveMember } from './RemoveMember.tsx'
import { type Member, RoleSelect } from './RoleSelect.tsx'
import { whyFixed } from './rules.ts'

interface MemberTableProps {
  readonly members: readonly Member[]
  readonly onRemoved: () => void
}

export function MemberTable({ members, onRemoved }: MemberTableProps) {
  const { role: own, memberId } = useWorkspace()
  const owners = { count: members.filter(({ role }) => role === 'OWNER').length }
  const isManager = mayManage(own)
  return (
    <div className={tables.frame}>
      <table className={tables.table}>
        <caption className="visually-hidden">Members</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Role</th>
            <th scope="col">Joined</th>
            {isManager && (
              <th scope="col">
                <span className="visually-hidden">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {members.map((member) => {
            const { id, name, email, isEmailVerified, role, createdAt } = member
            const fixed = whyFixed(own, role, owners)
            return (
              <tr key={id}>
                <td>
                  <div className={classes.person}>
                    <Face name={name} />
                    <div>
                      <span className={tables.main}>{name}</span>{' '}
                      {id === memberId && (
                        <Badge size="sm" color="gray" variant="light" tt="none">
                          You
                        </Badge>
                      )}
                      <p className={classes.email}>
                        {email} {!isEmailVerified && <Mark tone="warn" label="Not verified" />}
                      </p>
                    </div>
                  </div>
                </td>
                <td data-label="Role" className={classes.role}>
                  {isManager ? <RoleSelect member={member} fixed={fixed} /> : roleName(role)}
                </td>
                <td data-label="Joined">
                  <Time at={createdAt} />
                </td>
                {isManager && (
                  <td className={tables.actions}>
                    <RemoveMember member={member} fixed={fixed} onRemoved={onRemoved} />
                  </td>
                )}
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
