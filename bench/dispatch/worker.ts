/** One worker process of a contender: `{ name, place, seed? }` by IPC begins it, disconnecting ends it. */
import type { Place } from './contender.ts'
import { CONTENDERS } from './contenders.ts'
import { job } from './jobs.ts'

export interface WorkerOrder {
  readonly name: string
  readonly place: Place
  /** For who keeps jobs in memory: so many. */
  readonly inMemory: number
}

process.once('message', async ({ name, place, inMemory }: WorkerOrder) => {
  const contender = CONTENDERS[name]
  if (contender === undefined) throw new Error(`nobody is called ${name}`)
  const jobs = Array.from({ length: inMemory }, (_, n) => job(n, 'drain'))
  if (inMemory > 0) await contender.seed(place, jobs)
  const stop = await contender.work(place)
  process.send?.('working')
  process.once('disconnect', () => {
    void stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  })
})
