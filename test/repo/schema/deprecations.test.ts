import { buildSchema, type GraphQLSchema } from 'graphql'
import { expect, test } from 'vitest'
import { schema } from '../../../src/resolvers/index.ts'
import { schemaMembers } from '../../support/contract/schema-members.ts'

/** Deprecations whose reason does not name, in backticks, something of the schema that is there to stay. */
function withoutReplacement(of: GraphQLSchema): string[] {
  const all = new Map([...schemaMembers(of)].map(([name, { deprecationReason }]) => [name, deprecationReason]))
  return [...all].flatMap(([coordinate, reason]) => {
    if (reason == null) return []
    const named = [...reason.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '')
    return named.some((name) => all.has(name) && all.get(name) == null) ? [] : [`${coordinate}: ${reason}`]
  })
}

test('whatever is deprecated names its replacement', () => {
  expect(withoutReplacement(schema)).toEqual([])
})

test('the rule finds what breaks it', () => {
  const faulty = buildSchema(`
    type Query {
      fine(old: Int @deprecated(reason: "Use \`Query.fine(new:)\`."), new: Int): Int
      better: Int @deprecated(reason: "Use \`Query.fine\`.")
      silent: Int @deprecated
      vague: Int @deprecated(reason: "Use something else.")
      wrong: Int @deprecated(reason: "Use \`Query.gone\`.")
      circular: Int @deprecated(reason: "Use \`Query.better\`.")
    }
    enum Colour { RED @deprecated(reason: "Use \`Colour.BLUE\`.") BLUE GREEN @deprecated }
    input Filter { old: Int @deprecated(reason: "old") new: Int }
  `)
  expect(withoutReplacement(faulty).map((line) => line.split(':')[0])).toEqual([
    'Query.silent',
    'Query.vague',
    'Query.wrong',
    'Query.circular',
    'Colour.GREEN',
    'Filter.old',
  ])
})
