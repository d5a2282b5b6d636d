import { AlarmClock, CircleCheck, CircleUser, Inbox, type LucideIcon, SearchX, UserCheck } from 'lucide-react'
import { EmptyState } from '../../../ui/states/EmptyState.tsx'
import type { InboxView } from '../../../viewer/navigation.ts'

const WORDS: Record<InboxView['id'], { icon: LucideIcon; title: string; text: string }> = {
  mine: {
    icon: CircleUser,
    title: 'Nothing is assigned to you',
    text: 'Take a conversation from Unassigned: open it and press A.',
  },
  unassigned: {
    icon: UserCheck,
    title: 'Everything has somebody',
    text: 'New conversations appear here until a person takes them. Agents answer them meanwhile.',
  },
  open: {
    icon: Inbox,
    title: 'No open conversations',
    text: 'When a visitor writes, their conversation appears here at once.',
  },
  snoozed: {
    icon: AlarmClock,
    title: 'Nothing is snoozed',
    text: 'Press S in a conversation to have it come back later. It also comes back when the visitor writes.',
  },
  closed: {
    icon: CircleCheck,
    title: 'Nothing is closed yet',
    text: 'Press E in a conversation when it is done. It opens again when the visitor writes.',
  },
}

export function EmptyView({ view }: { readonly view: InboxView }) {
  const { icon, title, text } = WORDS[view.id]
  return (
    <EmptyState icon={icon} title={title}>
      {text}
    </EmptyState>
  )
}

export function NothingFound({ text }: { readonly text: string }) {
  return (
    <EmptyState icon={SearchX} title="Nothing found">
      No conversation has “{text}” in its messages and notes, its subject, or its visitor’s name and address. All words
      must be there; the last one may be a beginning.
    </EmptyState>
  )
}
