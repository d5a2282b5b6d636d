import { randomBytes } from 'node:crypto'
import { open, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'

const MB = 2 ** 20
/** With less than this free, nothing more is written. */
const RESERVE_BYTES = 64 * MB
/** It is written again when this much is free, so that one write does not end at the next. */
const ENOUGH_BYTES = 96 * MB
const BALLAST_BYTES = 32 * MB
/** With less than this free, the ballast goes: others have used up the reserve. */
const LITTLE_BYTES = 8 * MB
/** What opening the database may take: a segment of the log (16 MB), and the pages that recovery writes. */
const OPENING_BYTES = 24 * MB

/**
 * The free space where the embedded database is, and a ballast file beside it: space that is let go when nothing else is
 * left, so that the database can still be opened and read.
 */
export class DiskSpace {
  readonly #folder: string
  readonly #ballast: string
  #free = Number.POSITIVE_INFINITY
  #isFull = false
  #hasBallast = false

  constructor(folder: string) {
    this.#folder = folder
    this.#ballast = join(folder, 'ballast')
  }

  /** In bytes, when it was last measured. */
  get free(): number {
    return this.#free
  }

  /** Whether less than the reserve was left, and not enough is free again. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Whether the database can be opened. */
  get hasRoomToOpen(): boolean {
    return this.#free >= OPENING_BYTES
  }

  /** Measures, and makes the ballast or lets it go. */
  async measure(): Promise<void> {
    await this.#look()
    if (this.#free < LITTLE_BYTES) await this.letGo()
    else if (this.#free >= ENOUGH_BYTES + BALLAST_BYTES) await this.#makeBallast()
  }

  /** Gives the ballast's space away. */
  async letGo(): Promise<void> {
    await rm(this.#ballast, { force: true })
    this.#hasBallast = false
    await this.#look()
  }

  async #look(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#folder)
    this.#free = bavail * bsize
    this.#isFull = this.#free < (this.#isFull ? ENOUGH_BYTES : RESERVE_BYTES)
  }

  async #makeBallast(): Promise<void> {
    if (this.#hasBallast) return
    const there = await stat(this.#ballast).catch(() => null)
    this.#hasBallast = there?.size === BALLAST_BYTES
    if (this.#hasBallast) return
    const file = await open(this.#ballast, 'w', 0o600)
    try {
      // File systems that compress would keep nothing free for zeros.
      const chunk = randomBytes(MB)
      for (let written = 0; written < BALLAST_BYTES; written += MB) await file.writeFile(chunk)
      this.#hasBallast = true
    } finally {
      await file.close()
    }
  }
}
