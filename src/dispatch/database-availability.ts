import type { Database } from '../infra/database/db.ts'
import type { Log } from '../infra/log.ts'

/** Whether the database responds to the dispatcher. Logs the start and the end of an outage once. */
export class DatabaseAvailability {
  readonly #disk: Database['disk']
  readonly #log: Log
  #isAway = false

  constructor({ disk }: Pick<Database, 'disk'>, log: Log) {
    this.#disk = disk
    this.#log = log
  }

  get isAway(): boolean {
    return this.#isAway
  }

  failed(error: unknown): void {
    const isKnown = this.#isAway || this.#disk?.isFull
    if (!isKnown) this.#log.error({ err: error }, 'database unavailable; retrying')
    this.#isAway = true
  }

  answered(): void {
    if (this.#isAway) this.#log.info('database available again')
    this.#isAway = false
  }
}
