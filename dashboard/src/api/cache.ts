import { keyless, possibleTypes } from 'virtual:schema-facts'
import { cacheExchange } from '@urql/exchange-graphcache'

/**
 * The normalised cache: an object is kept once, by its id, and every page that shows it shows its latest state. What a
 * mutation or a live event changes beyond the objects it returns stands in `updates`.
 */
export function cache() {
  return cacheExchange({
    keys: Object.fromEntries(keyless.map((type) => [type, () => null])),
    possibleTypes,
  })
}
