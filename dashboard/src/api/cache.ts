import { keyless, possibleTypes } from 'virtual:schema-facts'
import { cacheExchange } from '@urql/exchange-graphcache'
import { inboxOptimistic } from '../pages/inbox/cacheOptimistic.ts'
import { inboxUpdates } from '../pages/inbox/cacheUpdates.ts'

/**
 * The normalised cache: an object is kept once, by its id, and every page that shows it shows its latest state. What a
 * mutation or a live event changes beyond the objects it returns stands in `updates`, next to the pages that show it.
 */
export function cache() {
  return cacheExchange({
    keys: Object.fromEntries(keyless.map((type) => [type, () => null])),
    possibleTypes,
    updates: inboxUpdates,
    optimistic: inboxOptimistic,
  })
}
