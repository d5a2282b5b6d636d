const DAY_MS = 86_400_000

/** When a key ends by itself. */
export const EXPIRIES = [
  { value: '30', label: 'In 30 days' },
  { value: '90', label: 'In 90 days' },
  { value: '365', label: 'In a year' },
  { value: 'date', label: 'On a day of your choice' },
  { value: 'never', label: 'Never' },
] as const

export type Expiry = (typeof EXPIRIES)[number]['value']

/** @param date of a date field, for the choice of a day: the key works until that day ends, where you are */
export function expiresAt(expiry: Expiry, date: string, now: Date): string | null {
  if (expiry === 'never') return null
  if (expiry !== 'date') return new Date(now.getTime() + Number(expiry) * DAY_MS).toISOString()
  const end = new Date(`${date}T23:59:59`)
  return Number.isNaN(end.getTime()) ? null : end.toISOString()
}

/** For a date field: the day after. */
export function tomorrow(now: Date): string {
  const next = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1)
  const pad = (part: number) => String(part).padStart(2, '0')
  return `${next.getFullYear()}-${pad(next.getMonth() + 1)}-${pad(next.getDate())}`
}
