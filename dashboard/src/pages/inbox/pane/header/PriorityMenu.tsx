import { ActionIcon, Menu } from '@mantine/core'
import { Check, Flag } from 'lucide-react'
import { PRIORITIES, PriorityIcon } from '../../../../conversations/PriorityIcon.tsx'

interface PriorityMenuProps {
  readonly priority: number
  readonly onChange: (priority: number) => void
}

export function PriorityMenu({ priority, onChange }: PriorityMenuProps) {
  return (
    <Menu width={190} position="bottom-end">
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={`${PRIORITIES[priority]?.label ?? 'Priority'}. Change the priority`}
        >
          {priority === 0 ? <Flag size={16} aria-hidden /> : <PriorityIcon priority={priority} />}
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {PRIORITIES.map(({ value, label, icon: Icon }) => (
          <Menu.Item
            key={value}
            leftSection={Icon === null ? <Flag size={15} aria-hidden /> : <Icon size={15} aria-hidden />}
            rightSection={value === priority ? <Check size={14} aria-label="current" /> : undefined}
            onClick={() => onChange(value)}
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
