import { ActionIcon, Popover } from '@mantine/core'
import { useDisclosure, useHotkeys } from '@mantine/hooks'
import { Tags } from 'lucide-react'
import { lazy, Suspense } from 'react'
import { Loading } from '../../../../ui/states/Loading.tsx'
import classes from './TagsEditor.module.css'

const TagsField = lazy(() => import('./TagsField.tsx'))

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
        <ActionIcon className={classes.button ?? ''} variant="subtle" color="gray" onClick={popover.toggle}>
          <Tags size={16} aria-hidden />
          <span className="visually-hidden">
            {tags.length === 0 ? 'Add tags' : `Tags: ${tags.join(', ')}. Change them`}
          </span>
          {tags.length > 0 && (
            <span className={classes.count} aria-hidden>
              {tags.length}
            </span>
          )}
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown aria-label="Tags">
        <Suspense fallback={<Loading lines={1} height={60} />}>
          <TagsField tags={tags} onChange={onChange} />
        </Suspense>
      </Popover.Dropdown>
    </Popover>
  )
}
