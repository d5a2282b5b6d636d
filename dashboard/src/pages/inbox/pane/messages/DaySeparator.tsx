import classes from './DaySeparator.module.css'

const thisYear = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })
const otherYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' })
const DAY_MS = 24 * 60 * 60_000

/** Between messages of two days. */
export function DaySeparator({ at }: { readonly at: string }) {
  return (
    <li className={classes.day}>
      <span>{dayName(new Date(at))}</span>
    </li>
  )
}

function dayName(day: Date): string {
  if (isSameDay(day, new Date())) return 'Today'
  if (isSameDay(day, new Date(Date.now() - DAY_MS))) return 'Yesterday'
  return (day.getFullYear() === new Date().getFullYear() ? thisYear : otherYear).format(day)
}

export function isSameDay(a: string | Date, b: string | Date): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString()
}
