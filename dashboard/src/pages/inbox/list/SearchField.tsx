import { CloseButton, TextInput } from '@mantine/core'
import { useDebouncedCallback, useHotkeys } from '@mantine/hooks'
import { Search } from 'lucide-react'
import { useRef, useState } from 'react'

const TYPING_MS = 250
const LONGEST = 200

interface SearchFieldProps {
  /** As the address has it. */
  readonly text: string
  readonly onSearch: (text: string) => void
}

export function SearchField({ text, onSearch }: SearchFieldProps) {
  const [typed, setTyped] = useState(text)
  const field = useRef<HTMLInputElement>(null)
  const search = useDebouncedCallback(onSearch, TYPING_MS)
  useHotkeys([['/', () => field.current?.focus()]])

  function clear() {
    setTyped('')
    search.cancel()
    onSearch('')
  }

  return (
    <TextInput
      ref={field}
      size="xs"
      aria-label="Search conversations"
      placeholder="Search"
      maxLength={LONGEST}
      leftSection={<Search size={14} aria-hidden />}
      rightSection={typed !== '' && <CloseButton size="xs" aria-label="Clear search" onClick={clear} />}
      value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value)
        search(event.currentTarget.value.trim())
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        clear()
        field.current?.blur()
      }}
    />
  )
}
