import { ActionIcon, Indicator, Popover, TagsInput } from '@mantine/core'
import { useDisclosure, useHotkeys } from '@mantine/hooks'
import { Tags } from 'lucide-react'

const MOST = 50
const LONGEST = 50

interface TagsEditorProps {
  readonly tags: readonly string[]
  readonly onChange: (tags: string[]) => void
}

export function TagsEditor({ tags, onChange }: TagsEditorProps) {
  const [isOpen, popover] = useDisclosure()
  useHotkeys([['t', popover.open]])
  return (
    <Popover
      width={300}
      position="bottom-end"
      opened={isOpen}
      onChange={(open) => (open ? popover.open() : popover.close())}
      trapFocus
      returnFocus
    >
      <Popover.Target>
        <Indicator label={tags.length} size={14} disabled={tags.length === 0} offset={4} color="gray">
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={tags.length === 0 ? 'Add tags' : `Tags: ${tags.join(', ')}. Change them`}
            onClick={popover.toggle}
          >
            <Tags size={16} aria-hidden />
          </ActionIcon>
        </Indicator>
      </Popover.Target>
      <Popover.Dropdown aria-label="Tags">
        <TagsInput
          label="Tags"
          description="Enter or a comma adds one"
          placeholder="Add a tag"
          value={[...tags]}
          onChange={(value) => onChange(value.map((tag) => tag.trim().slice(0, LONGEST)).filter(Boolean))}
          maxTags={MOST}
          acceptValueOnBlur={false}
        />
      </Popover.Dropdown>
    </Popover>
  )
}
