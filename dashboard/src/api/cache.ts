import { type CacheExchangeOpts, cacheExchange } from '@urql/exchange-graphcache'
import facts from '../../../schema.cache.json' with { type: 'json' }

/** What a mutation or a live event changes in the cache beyond the objects it returns. */
export type CacheRules = Required<Pick<CacheExchangeOpts, 'updates' | 'optimistic'>>

/** The normalised cache: an object is kept once, by its id, and every page that shows it shows its latest state. */
export function cache({ updates, optimistic }: CacheRules) {
  return cacheExchange({
    keys: Object.fromEntries(facts.keyless.map((type) => [type, () => null])),
    possibleTypes: facts.possibleTypes,
    updates,
    optimistic,
  })
}
