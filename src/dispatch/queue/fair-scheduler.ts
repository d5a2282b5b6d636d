/** Something that takes turns with others of its workspace. */
export interface Schedulable {
  readonly id: string
  readonly workspaceId: string
}

/**
 * Round robin at two levels: workspaces take turns, and within each its endpoints. So neither a workspace with a million
 * deliveries nor one with a thousand endpoints delays another by more than a turn. Every step takes constant time.
 */
export class FairScheduler<Item extends Schedulable> {
  /** Maps keep the order of insertion: the first is the next. */
  readonly #workspaces = new Map<string, Map<string, Item>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Adds an item at the end of its workspace's queue, unless it is there. */
  add(item: Item): void {
    const queue = this.#workspaces.get(item.workspaceId) ?? new Map<string, Item>()
    if (queue.size === 0) this.#workspaces.set(item.workspaceId, queue)
    if (!queue.has(item.id)) this.#size++
    queue.set(item.id, item)
  }

  remove({ id, workspaceId }: Item): void {
    const queue = this.#workspaces.get(workspaceId)
    if (queue?.delete(id) !== true) return
    this.#size--
    if (queue.size === 0) this.#workspaces.delete(workspaceId)
  }

  all(): Item[] {
    return [...this.#workspaces.values()].flatMap((queue) => [...queue.values()])
  }

  /** Removes the next item and returns it. @param isEligible skips workspaces for which it returns false */
  next(isEligible: (workspaceId: string) => boolean = () => true): Item | undefined {
    for (const [workspaceId, queue] of this.#workspaces) {
      if (!isEligible(workspaceId)) continue
      this.#workspaces.delete(workspaceId)
      for (const [id, item] of queue) {
        queue.delete(id)
        this.#size--
        if (queue.size > 0) this.#workspaces.set(workspaceId, queue)
        return item
      }
    }
    return undefined
  }
}
