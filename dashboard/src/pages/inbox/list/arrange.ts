import type { Row } from '../../../conversations/views.ts'

/** The order that somebody is looking at, held still while they have scrolled down. */
export interface Held {
  readonly ids: readonly string[]
  /** Latest activity among them when it was held. */
  readonly since: string
}

export interface Arranged {
  readonly rows: readonly Row[]
  /** How many conversations have become active above what is shown. */
  readonly newCount: number
}

export function hold(rows: readonly Row[]): Held {
  return { ids: rows.map(({ id }) => id), since: rows[0]?.lastActivityAt ?? '' }
}

/**
 * What to show. At the top, the list as it is. Scrolled down, the held order: rows change in place, those that left stay
 * until the list is let go, what was loaded further down is appended, and what is new above is only counted.
 * @param belongs whether a row is still of this list
 */
export function arrange(rows: readonly Row[], held: Held | null, belongs: (row: Row) => boolean): Arranged {
  if (held === null) return { rows: rows.filter(belongs), newCount: 0 }
  const byId = new Map(rows.map((row) => [row.id, row]))
  const known = new Set(held.ids)
  const kept = held.ids.flatMap((id) => byId.get(id) ?? [])
  const others = rows.filter((row) => !known.has(row.id) && belongs(row))
  const isNew = (row: Row) => row.lastActivityAt > held.since
  const below = others.filter((row) => !isNew(row))
  const moved = kept.filter((row) => isNew(row) && belongs(row))
  return { rows: [...kept, ...below], newCount: others.length - below.length + moved.length }
}
