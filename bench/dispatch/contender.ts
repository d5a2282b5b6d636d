import type { Job } from './jobs.ts'

/** Where a contender keeps its jobs, and where they go. */
export interface Place {
  readonly databaseUrl: string
  readonly redisUrl: string
  /** The sink's. */
  readonly port: number
}

/** Something that takes jobs and sends each as a signed POST. */
export interface Contender {
  readonly settings: string
  /** Makes what it needs to store jobs. */
  prepare(place: Place): Promise<void>
  /** Stores many jobs; nobody works yet. */
  seed(place: Place, jobs: readonly Job[]): Promise<void>
  /** @returns stores one job and wakes whoever works, as its library does */
  producer(place: Place): Promise<{ send(job: Job): Promise<void>; close(): Promise<void> }>
  /** Works until it is stopped. */
  work(place: Place): Promise<() => Promise<void>>
}

/** Connections of a contender's pool. */
export const POOL = 10

export async function inChunks<T>(
  all: readonly T[],
  size: number,
  store: (chunk: T[]) => Promise<unknown>,
): Promise<void> {
  for (let i = 0; i < all.length; i += size) await store(all.slice(i, i + size))
}
