/** Where a scan ends. */
export interface ScanEnd {
  /** The last conversation with pending deliveries when the scan began. */
  readonly conversationId: string
  /** About the last first attempt that was pending then: those after it are new. */
  readonly seq: string
}

/**
 * After an outage, all conversations with pending deliveries are listed, in the order of their ids, and sent whenever they
 * are due. Bulk replays, which keep no order with what is live, are made due.
 */
export class RecoveryScan {
  /** Null: there is no recovery. */
  #scan: { after: string; end: ScanEnd | null; isOver: boolean; mustMakeReplaysDue: boolean } | null = null

  get isActive(): boolean {
    return this.#scan !== null
  }

  /** Whether nothing has been listed yet: until then, what is new is unknown. */
  get isStarting(): boolean {
    return this.#scan !== null && this.#scan.end === null
  }

  /** First attempts after this seq are new. */
  get newSince(): string {
    return this.#scan?.end?.seq ?? '0'
  }

  /** The conversation after which to list on; null: nothing is left to list. */
  get after(): string | null {
    return this.#scan === null || this.#scan.isOver ? null : this.#scan.after
  }

  get mustMakeReplaysDue(): boolean {
    return this.#scan?.mustMakeReplaysDue ?? false
  }

  /** Whether everything is listed, and replays are due. */
  get isOver(): boolean {
    const scan = this.#scan
    return scan?.isOver === true && !scan.mustMakeReplaysDue
  }

  start(): void {
    this.#scan = { after: '', end: null, isOver: false, mustMakeReplaysDue: true }
  }

  stop(): void {
    this.#scan = null
  }

  replaysMadeDue(): void {
    if (this.#scan !== null) this.#scan.mustMakeReplaysDue = false
  }

  /** Whether the scan has yet to list a conversation. */
  willList(id: string): boolean {
    const { after } = this
    return after !== null && id > after && id <= (this.#scan?.end?.conversationId ?? id)
  }

  /**
   * Takes a page of conversations.
   * @param end where the scan would end if it began now
   * @returns those that the scan is about
   */
  advance(ids: readonly string[], end: ScanEnd): string[] {
    const scan = this.#scan
    if (scan === null) return []
    scan.end ??= end
    const last = scan.end.conversationId
    const listed = ids.filter((id) => id <= last)
    scan.after = listed.at(-1) ?? scan.after
    scan.isOver = ids.length === 0 || scan.after >= last
    return listed
  }
}
