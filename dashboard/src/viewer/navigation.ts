import {
  Activity,
  AlarmClock,
  Bot,
  Building2,
  CircleCheck,
  CircleUser,
  Inbox,
  KeyRound,
  type LucideIcon,
  ScrollText,
  Users,
  UserX,
  Webhook,
} from 'lucide-react'

/** A place in the sidebar and in the command palette. */
export interface Place {
  readonly label: string
  /** Below the workspace's own address, `/w/<slug>/`. */
  readonly path: string
  readonly icon: LucideIcon
  /** Other words that somebody may type to find it. */
  readonly keywords?: readonly string[]
}

export interface InboxView extends Place {
  readonly id: 'mine' | 'unassigned' | 'open' | 'snoozed' | 'closed'
}

export const INBOX_VIEWS: readonly InboxView[] = [
  { id: 'mine', label: 'Mine', path: 'inbox/mine', icon: CircleUser, keywords: ['assigned to me'] },
  { id: 'unassigned', label: 'Unassigned', path: 'inbox/unassigned', icon: UserX, keywords: ['new', 'nobody'] },
  { id: 'open', label: 'All open', path: 'inbox/open', icon: Inbox, keywords: ['everything'] },
  { id: 'snoozed', label: 'Snoozed', path: 'inbox/snoozed', icon: AlarmClock, keywords: ['later'] },
  { id: 'closed', label: 'Closed', path: 'inbox/closed', icon: CircleCheck, keywords: ['done', 'archive'] },
]

export const OPERATIONS: readonly Place[] = [
  { label: 'Live', path: 'live', icon: Activity, keywords: ['events', 'deliveries', 'stream'] },
]

export const SETTINGS: readonly Place[] = [
  { label: 'Webhooks', path: 'settings/webhooks', icon: Webhook, keywords: ['endpoints', 'deliveries'] },
  { label: 'AI Agents', path: 'settings/agents', icon: Bot, keywords: ['bots'] },
  { label: 'API keys', path: 'settings/api-keys', icon: KeyRound, keywords: ['tokens', 'credentials'] },
  { label: 'Members', path: 'settings/members', icon: Users, keywords: ['team', 'people', 'invite'] },
  { label: 'Audit log', path: 'settings/audit-log', icon: ScrollText, keywords: ['history', 'who'] },
  { label: 'Workspace', path: 'settings/workspace', icon: Building2, keywords: ['name', 'general'] },
]
