import { ChevronsUp, ChevronUp, CircleAlert, type LucideIcon } from 'lucide-react'

interface Priority {
  readonly value: number
  readonly label: string
  readonly icon: LucideIcon | null
}

export const PRIORITIES: readonly Priority[] = [
  { value: 0, label: 'Normal priority', icon: null },
  { value: 1, label: 'Raised priority', icon: ChevronUp },
  { value: 2, label: 'High priority', icon: ChevronsUp },
  { value: 3, label: 'Urgent', icon: CircleAlert },
]

/** Nothing for a conversation without a priority. */
export function PriorityIcon({ priority }: { readonly priority: number }) {
  const { icon: Icon = null, label = '' } = PRIORITIES[priority] ?? {}
  return Icon === null ? null : <Icon size={14} aria-label={label} />
}
