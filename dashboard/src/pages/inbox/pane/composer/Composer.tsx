import { Button, SegmentedControl, Textarea } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { SendHorizontal } from 'lucide-react'
import { type KeyboardEvent, useRef, useState } from 'react'
import classes from './Composer.module.css'
import { readDraft, writeDraft } from './drafts.ts'
import { useTypingSignal } from './useTypingSignal.ts'

const MAX_LENGTH = 10_000

interface ComposerProps {
  readonly conversationId: string
  readonly visitor: string
  readonly onSend: (body: string, type: 'AGENT' | 'NOTE') => void
}

export function Composer({ conversationId, visitor, onSend }: ComposerProps) {
  const [draft, setDraft] = useState(() => readDraft(conversationId))
  const field = useRef<HTMLTextAreaElement>(null)
  const typing = useTypingSignal(conversationId)
  const { text, isNote } = draft

  function change(next: Partial<typeof draft>) {
    const changed = { ...draft, ...next }
    setDraft(changed)
    writeDraft(conversationId, changed)
  }

  function write(asNote: boolean) {
    change({ isNote: asNote })
    field.current?.focus()
  }

  function send() {
    const body = text.trim()
    if (body === '') return
    onSend(body, isNote ? 'NOTE' : 'AGENT')
    typing.stop()
    change({ text: '' })
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === 'Escape') field.current?.blur()
    // While a script is being composed (Japanese, say), Enter takes a suggestion.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    send()
  }

  useHotkeys([
    ['r', () => write(false)],
    ['n', () => write(true)],
  ])

  return (
    <form
      className={classes.composer}
      data-note={isNote || undefined}
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <Textarea
        ref={field}
        className={classes.field ?? ''}
        variant="unstyled"
        aria-label={isNote ? 'Note for the team' : `Reply to ${visitor}`}
        placeholder={isNote ? 'Only the team will see this' : `Reply to ${visitor}`}
        autosize
        minRows={2}
        maxRows={10}
        maxLength={MAX_LENGTH}
        value={text}
        onChange={(event) => {
          change({ text: event.currentTarget.value })
          if (!isNote) typing.type()
        }}
        onBlur={typing.stop}
        onKeyDown={onKeyDown}
      />
      <div className={classes.bar}>
        <SegmentedControl
          size="xs"
          aria-label="Message type"
          value={isNote ? 'note' : 'reply'}
          onChange={(value) => write(value === 'note')}
          data={[
            { value: 'reply', label: 'Reply' },
            { value: 'note', label: 'Note' },
          ]}
        />
        <Button
          type="submit"
          size="xs"
          disabled={text.trim() === ''}
          rightSection={<SendHorizontal size={14} aria-hidden />}
        >
          {isNote ? 'Add note' : 'Send'}
        </Button>
      </div>
    </form>
  )
}
