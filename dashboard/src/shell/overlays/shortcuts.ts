/** Every keyboard shortcut, as the help sheet shows it. `useHotkeys` of @mantine/hooks binds them where they act. */
export const SHORTCUTS = [
  {
    group: 'Everywhere',
    keys: [
      { keys: ['mod', 'K'], label: 'Open the command palette' },
      { keys: ['?'], label: 'Show these shortcuts' },
    ],
  },
  {
    group: 'Conversations',
    keys: [
      { keys: ['J'], label: 'Next conversation' },
      { keys: ['K'], label: 'Previous conversation' },
      { keys: ['/'], label: 'Search conversations' },
    ],
  },
  {
    group: 'The open conversation',
    keys: [
      { keys: ['R'], label: 'Reply' },
      { keys: ['N'], label: 'Write a note' },
      { keys: ['A'], label: 'Assign' },
      { keys: ['T'], label: 'Tags' },
      { keys: ['S'], label: 'Snooze' },
      { keys: ['E'], label: 'Close or reopen' },
    ],
  },
  {
    group: 'Writing',
    keys: [
      { keys: ['Enter'], label: 'Send' },
      { keys: ['Shift', 'Enter'], label: 'New line' },
      { keys: ['Esc'], label: 'Leave the text field, keeping the text' },
    ],
  },
] as const

const isApple = /Mac|iPhone|iPad/.test(navigator.userAgent)

/** What stands on the key. */
export function keyName(key: string): string {
  return key === 'mod' ? (isApple ? '⌘' : 'Ctrl') : key
}
