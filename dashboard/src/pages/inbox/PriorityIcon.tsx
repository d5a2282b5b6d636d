import { type LucideIcon, SignalHigh, SignalLow, SignalMedium } from 'lucide-react'

interface Priority {
  readonly value: number
  readonly label: string
  readonly icon: LucideIcon | null
}

export const PRIORITIES: readonly Priority[] = [
  { value: 0, label: 'Normal priority', icon: null },
  { value: 1, label: 'Raised priority', icon: SignalLow },
  { value: 2, label: 'High priority', icon: SignalMedium },
  { value: 3, label: 'Urgent', icon: SignalHigh },
]

/** Nothing for a conversation without a priority. */
export function PriorityIcon({ priority }: { readonly priority: number }) {
  const { icon: Icon = null, label = '' } = PRIORITIES[priority] ?? {}
  return Icon === null ? null : <Icon size={14} aria-label={label} />
}
