import { keyless, possibleTypes } from 'virtual:schema-facts'
import { type CacheExchangeOpts, cacheExchange } from '@urql/exchange-graphcache'

/** What a mutation or a live event changes in the cache beyond the objects it returns. */
export type CacheRules = Required<Pick<CacheExchangeOpts, 'updates' | 'optimistic'>>

/** The normalised cache: an object is kept once, by its id, and every page that shows it shows its latest state. */
export function cache({ updates, optimistic }: CacheRules) {
  return cacheExchange({
    // The same unavailable actor may have another name with each thing that it did.
    keys: Object.fromEntries([...keyless, 'UnavailableActor'].map((type) => [type, () => null])),
    possibleTypes,
    updates,
    optimistic,
  })
}
