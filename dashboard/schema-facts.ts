import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSchema, isInterfaceType, isObjectType } from 'graphql'
import type { Plugin } from 'vite'

const NAME = 'virtual:schema-facts'
const SCHEMA = join(import.meta.dirname, '..', 'schema.graphql')

/**
 * What the cache must know of the schema, as the module `virtual:schema-facts`: which objects have no id of their own, and
 * which types an interface or a union stands for. Taken from schema.graphql at build time, so that nobody keeps a list.
 */
export function schemaFacts(): Plugin {
  return {
    name: 'schema-facts',
    resolveId: (id) => (id === NAME ? `\0${NAME}` : null),
    load(id) {
      if (id !== `\0${NAME}`) return null
      this.addWatchFile(SCHEMA)
      const { keyless, possibleTypes } = factsOf(readFileSync(SCHEMA, 'utf8'))
      return `export const keyless = ${JSON.stringify(keyless)}\nexport const possibleTypes = ${JSON.stringify(possibleTypes)}\n`
    },
  }
}

function factsOf(sdl: string): { keyless: string[]; possibleTypes: Record<string, string[]> } {
  const schema = buildSchema(sdl)
  const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'))
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
  const keyless = types
    .filter((type) => isObjectType(type) && !roots.includes(type) && !('id' in type.getFields()))
    .map(({ name }) => name)
  // Fragments are written on interfaces; of a mutation's union they name the payload and the interface Error.
  const interfaces = types.filter(isInterfaceType)
  const possibleTypes = Object.fromEntries(
    interfaces.map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)]),
  )
  return { keyless, possibleTypes }
}
