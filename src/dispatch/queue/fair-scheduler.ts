/** Something whose turn comes once in a round of its workspace. */
export interface Schedulable {
  readonly id: string
  readonly workspaceId: string
}

/**
 * Two rounds, one inside the other: workspaces take turns, and in each its endpoints. So neither a workspace with a million
 * deliveries nor one with a thousand endpoints keeps another waiting for more than a turn. Every step takes constant time.
 */
export class FairScheduler<P extends Schedulable> {
  /** Maps and sets keep the order of insertion: the first is the next. */
  readonly #workspaces = new Map<string, Map<string, P>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Stands in line, at the end; once only. */
  add(party: P): void {
    const line = this.#workspaces.get(party.workspaceId) ?? new Map<string, P>()
    if (line.size === 0) this.#workspaces.set(party.workspaceId, line)
    if (!line.has(party.id)) this.#size++
    line.set(party.id, party)
  }

  remove({ id, workspaceId }: P): void {
    const line = this.#workspaces.get(workspaceId)
    if (line?.delete(id) !== true) return
    this.#size--
    if (line.size === 0) this.#workspaces.delete(workspaceId)
  }

  /** Everybody who stands in line. */
  all(): P[] {
    return [...this.#workspaces.values()].flatMap((line) => [...line.values()])
  }

  /** Takes the next out of the line; of those workspaces alone that may go. */
  next(mayGo: (workspaceId: string) => boolean = () => true): P | undefined {
    for (const [workspaceId, line] of this.#workspaces) {
      if (!mayGo(workspaceId)) continue
      this.#workspaces.delete(workspaceId)
      for (const [id, party] of line) {
        line.delete(id)
        this.#size--
        if (line.size > 0) this.#workspaces.set(workspaceId, line)
        return party
      }
    }
    return undefined
  }
}
