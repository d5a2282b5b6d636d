import type { StatsBucket } from '../../../generated/documents.ts'

export interface PastRange {
  readonly id: 'hour' | 'day'
  readonly label: string
  readonly spanMs: number
  readonly bucket: StatsBucket
  /** In words, for the charts. */
  readonly per: string
}

export const LIVE = { id: 'live', label: 'Live' } as const

export const PAST: readonly PastRange[] = [
  { id: 'hour', label: 'Last hour', spanMs: 3_600_000, bucket: 'MINUTE', per: 'minute' },
  { id: 'day', label: 'Last day', spanMs: 86_400_000, bucket: 'HOUR', per: 'hour' },
]

export const RANGES = [LIVE, ...PAST]

export function rangeOf(id: string | null): typeof LIVE | PastRange {
  return PAST.find((range) => range.id === id) ?? LIVE
}
