import { Button } from '@mantine/core'
import { MessageCircle } from 'lucide-react'
import { useWorkspace } from '../viewer/workspace.ts'
import { usePlayground } from './usePlayground.ts'

/** In the sidebar, in development. */
export function PlaygroundButton() {
  const { isDevelopment } = useWorkspace()
  const { isOpen, open, close } = usePlayground()
  if (!isDevelopment) return null
  return (
    <Button
      variant="default"
      size="xs"
      mt="xs"
      leftSection={<MessageCircle size={14} aria-hidden />}
      aria-expanded={isOpen}
      onClick={isOpen ? close : open}
    >
      Talk as a visitor
    </Button>
  )
}
