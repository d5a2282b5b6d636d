import { TagsInput } from '@mantine/core'
import classes from './TagsEditor.module.css'

const MOST = 50
const LONGEST = 50

interface TagsFieldProps {
  readonly tags: readonly string[]
  readonly onChange: (tags: string[]) => void
}

/** Loaded when somebody opens it: most conversations have no tags. */
export default function TagsField({ tags, onChange }: TagsFieldProps) {
  return (
    <TagsInput
      classNames={{ inputField: classes.field ?? '' }}
      label="Tags"
      description="Press Enter or type a comma to add a tag"
      placeholder="Add a tag"
      data-autofocus
      value={[...tags]}
      onChange={(value) => onChange(value.map((tag) => tag.trim().slice(0, LONGEST)).filter(Boolean))}
      maxTags={MOST}
      acceptValueOnBlur={false}
      autoFocus
    />
  )
}
