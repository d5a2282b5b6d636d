import { type ChangeFilter, matchChanged } from '../domain/conversations/changed-conversations.ts'
import { ChangeSearcher } from '../domain/conversations/search-changed.ts'
import type { Deps } from '../domain/shared/deps.ts'
import { bisect } from '../infra/database/bisect.ts'
import type { Change } from './inbox-buffer.ts'
import type { ChangedConversation } from './pending-changes.ts'

interface Group {
  readonly filter: ChangeFilter
  followers: number
}

/**
 * The different filters of those who follow one workspace, and what they match. However many there are, changes are judged by all
 * of them together: in one statement, and one more for all searches; the same filters count once.
 */
export class InboxJudge {
  readonly #deps: Pick<Deps, 'db'>
  readonly #searcher: ChangeSearcher
  readonly #groups = new Map<string, Group>()

  constructor(deps: Pick<Deps, 'db'>, workspaceId: string) {
    this.#deps = deps
    this.#searcher = new ChangeSearcher(deps, workspaceId)
  }

  /** @returns the filter by which changes say whether they match: the given one, or another follower's that is the same */
  async add(filter: ChangeFilter): Promise<ChangeFilter> {
    const known = this.#groups.get(filter.key)
    const group = known ?? { filter, followers: 0 }
    if (known === undefined) this.#groups.set(filter.key, group)
    group.followers++
    if (group.filter.search !== null) await this.#searcher.add(group.filter.search)
    return group.filter
  }

  /** One follower less of a filter that was added. */
  remove({ key }: ChangeFilter): void {
    const group = this.#groups.get(key)
    if (group === undefined) return
    group.followers--
    if (group.followers > 0) return
    this.#groups.delete(key)
    if (group.filter.search !== null) this.#searcher.remove(group.filter.search)
  }

  /**
   * Which filters match the conversations now.
   * @param refused is told of a filter that the database refuses; the others do not suffer from it
   */
  async judge(
    changed: readonly ChangedConversation[],
    refused: (filter: ChangeFilter, error: unknown) => void,
  ): Promise<Change[]> {
    if (changed.length === 0) return []
    const ids = changed.map(({ conversationId }) => conversationId)
    const filters = [...this.#groups.values()].map(({ filter }) => filter)
    const searched = await this.#searcher.search(ids)
    const found = new Map<string, { conversation: Change['conversation']; matches: Set<ChangeFilter> }>()
    const match = async (some: readonly ChangeFilter[]) => {
      for (const [id, { conversation, matches }] of await matchChanged(this.#deps, ids, some, searched)) {
        const by = found.get(id)?.matches ?? new Set()
        for (const index of matches) if (some[index] !== undefined) by.add(some[index])
        found.set(id, { conversation, matches: by })
      }
    }
    await bisect(filters, match, refused)
    return changed.map((change) => ({ ...change, ...(found.get(change.conversationId) ?? NOBODYS) }))
  }
}

const NOBODYS = { conversation: null, matches: new Set<ChangeFilter>() } as const
