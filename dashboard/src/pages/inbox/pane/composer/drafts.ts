/** What somebody has begun to write, kept in this browser for each conversation. */
export interface Draft {
  readonly text: string
  readonly isNote: boolean
}

const KEY = 'guddesk-draft:'

export function readDraft(conversationId: string): Draft {
  const stored = localStorage.getItem(KEY + conversationId)
  return stored === null ? { text: '', isNote: false } : { text: stored.slice(1), isNote: stored.startsWith('n') }
}

/** The first letter says what it is to become: a note or a reply. */
export function writeDraft(conversationId: string, { text, isNote }: Draft): void {
  if (text === '') localStorage.removeItem(KEY + conversationId)
  else localStorage.setItem(KEY + conversationId, (isNote ? 'n' : 'r') + text)
}
