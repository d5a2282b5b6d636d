/** Of one second. Percentiles are of the attempts that were told of in it; null without any. */
export interface Second {
  /** Epoch seconds. */
  readonly at: number
  readonly delivered: number
  readonly failed: number
  readonly p50: number | null
  readonly p95: number | null
}

interface Progress {
  readonly delivered: number
  readonly retrying: number
  readonly failed: number
  readonly durationP50Ms: number | null
  readonly durationP95Ms: number | null
}

/** Five minutes: what a chart can show without crowding. */
export const KEPT_SECONDS = 300

/**
 * Adds an update to the second in which it arrived, by this browser's clock: another one would put what comes now beside now.
 * Of several updates of one second, percentiles are weighted by their attempts: the true ones would need every duration.
 */
export function withProgress(history: readonly Second[], progress: Progress, now: number): readonly Second[] {
  const at = Math.floor(now / 1000)
  const filled = upTo(history, at)
  const last = filled.at(-1)
  if (last === undefined) return filled
  const failed = progress.retrying + progress.failed
  const before = last.delivered + last.failed
  const added = progress.delivered + failed
  const second: Second = {
    at,
    delivered: last.delivered + progress.delivered,
    failed: last.failed + failed,
    p50: weighted(last.p50, before, progress.durationP50Ms, added),
    p95: weighted(last.p95, before, progress.durationP95Ms, added),
  }
  return [...filled.slice(0, -1), second]
}

/** With every second until then, the quiet ones included; the oldest are forgotten. */
export function upTo(history: readonly Second[], at: number): readonly Second[] {
  const from = Math.max(history.at(-1)?.at ?? at - KEPT_SECONDS, at - KEPT_SECONDS)
  const quiet = Array.from({ length: Math.max(0, at - from) }, (_, index) => ({
    at: from + index + 1,
    delivered: 0,
    failed: 0,
    p50: null,
    p95: null,
  }))
  return [...history, ...quiet].slice(-KEPT_SECONDS)
}

/** Of the last so many seconds that are over. */
export function summary(history: readonly Second[], seconds: number) {
  const over = history.slice(-seconds - 1, -1)
  const sum = (of: (second: Second) => number) => over.reduce((total, second) => total + of(second), 0)
  const delivered = sum((second) => second.delivered)
  const attempts = delivered + sum((second) => second.failed)
  return {
    perSecond: over.length === 0 ? 0 : attempts / over.length,
    successRate: attempts === 0 ? null : delivered / attempts,
    p50: over.reduce<[number | null, number]>(mergeBy('p50'), [null, 0])[0],
    p95: over.reduce<[number | null, number]>(mergeBy('p95'), [null, 0])[0],
  }
}

function mergeBy(name: 'p50' | 'p95') {
  return ([value, weight]: [number | null, number], second: Second): [number | null, number] => {
    const added = second.delivered + second.failed
    return [weighted(value, weight, second[name], added), weight + added]
  }
}

function weighted(a: number | null, weightA: number, b: number | null, weightB: number): number | null {
  if (a === null) return b
  if (b === null || weightA + weightB === 0) return a
  return (a * weightA + b * weightB) / (weightA + weightB)
}
