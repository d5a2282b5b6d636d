const STEPS: readonly (readonly [unit: string, seconds: number])[] = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
]

/** A duration in its largest whole unit, for people: `45 s`, `9 min`, `3 h`, `2 d`. */
export function durationText(seconds: number): string {
  const [unit, size] = STEPS.find(([, least]) => seconds >= least) ?? ['s', 1]
  return `${Math.floor(seconds / size).toLocaleString()} ${unit}`
}
