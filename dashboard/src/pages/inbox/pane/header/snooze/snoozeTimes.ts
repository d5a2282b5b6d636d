/** A time to come back at. */
export interface SnoozeTime {
  readonly label: string
  readonly at: Date
}

const MORNING = 9

/** What is usually meant, in the browser's own time zone; each lies in the future. */
export function snoozeTimes(now: Date): SnoozeTime[] {
  const inThreeHours = new Date(now.getTime() + 3 * 60 * 60_000)
  const daysToMonday = (8 - now.getDay()) % 7 || 7
  return [
    { label: 'In three hours', at: inThreeHours },
    { label: 'Tomorrow morning', at: morning(now, 1) },
    ...(daysToMonday > 1 ? [{ label: 'Monday morning', at: morning(now, daysToMonday) }] : []),
    { label: 'In a week', at: morning(now, 7) },
  ]
}

function morning(now: Date, days: number): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, MORNING)
}

/** As an `<input type="datetime-local">` wants it: local time without a zone. */
export function localInputValue(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
