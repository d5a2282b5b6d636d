import { AlarmClock, CircleCheck, CircleUser, Inbox, type LucideIcon, SearchX, UserCheck } from 'lucide-react'
import { EmptyState } from '../../../ui/states/EmptyState.tsx'
import type { InboxView } from '../../../viewer/navigation.ts'

const WORDS: Record<InboxView['id'], { icon: LucideIcon; title: string; text: string }> = {
  mine: {
    icon: CircleUser,
    title: 'No conversations assigned to you',
    text: 'Open a conversation in Unassigned and press A to take it.',
  },
  unassigned: {
    icon: UserCheck,
    title: 'No unassigned conversations',
    text: 'New conversations appear here until a member takes them. AI agents reply in the meantime.',
  },
  open: {
    icon: Inbox,
    title: 'No open conversations',
    text: 'Conversations appear here as soon as a visitor writes.',
  },
  snoozed: {
    icon: AlarmClock,
    title: 'No snoozed conversations',
    text: 'Press S in a conversation to snooze it. It reopens at that time, or when the visitor writes.',
  },
  closed: {
    icon: CircleCheck,
    title: 'No closed conversations',
    text: 'Press E in a conversation to close it. It reopens when the visitor writes.',
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
    <EmptyState icon={SearchX} title="No results">
      No conversation has “{text}” in its messages, notes or subject, or in the name or email address of its visitor.
      All words must match; the last one can be a prefix.
    </EmptyState>
  )
}
