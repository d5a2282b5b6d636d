import { randomBytes } from 'node:crypto'
import { open, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'

const MB = 2 ** 20
/** Below this free space, nothing more is written. */
const RESERVE_BYTES = 64 * MB
/** Writing resumes at this free space, which is larger, so that it does not stop again at once. */
const ENOUGH_BYTES = 96 * MB
const BALLAST_BYTES = 32 * MB
/** Below this free space, the ballast is deleted: others have used up the reserve. */
const LITTLE_BYTES = 8 * MB
/** The space that opening the database can take: a segment of the log (16 MB), and the pages that recovery writes. */
const OPENING_BYTES = 24 * MB

/**
 * Watches the free space of the embedded database, and keeps a ballast file, whose deletion frees enough space to open
 * and read the database.
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

  /** In bytes, at the last measurement. */
  get free(): number {
    return this.#free
  }

  /** Whether the free space fell below the reserve, and has not recovered. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Whether the free space is enough to open the database. */
  get hasRoomToOpen(): boolean {
    return this.#free >= OPENING_BYTES
  }

  /** Measures the free space, and creates or deletes the ballast. */
  async measure(): Promise<void> {
    await this.#look()
    if (this.#free < LITTLE_BYTES) await this.letGo()
    else if (this.#free >= ENOUGH_BYTES + BALLAST_BYTES) await this.#makeBallast()
  }

  /** Deletes the ballast. */
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
      // Random bytes: file systems that compress would reserve no space for zeros.
      const chunk = randomBytes(MB)
      for (let written = 0; written < BALLAST_BYTES; written += MB) await file.writeFile(chunk)
      this.#hasBallast = true
    } finally {
      await file.close()
    }
  }
}
