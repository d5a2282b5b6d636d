import {
  buildSchema,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql'
import { expect, test } from 'vitest'
import { schema } from '../../src/resolvers/index.ts'

/** Everything of the schema that can be deprecated, by its coordinate: `Type.field`, `Type.field(argument:)`, `Enum.VALUE`. */
function* members(of: GraphQLSchema): Generator<[coordinate: string, deprecationReason: string | null | undefined]> {
  for (const type of Object.values(of.getTypeMap())) {
    if (type.name.startsWith('__') || isSpecifiedScalarType(type)) continue
    if (isEnumType(type)) {
      for (const { name, deprecationReason } of type.getValues()) yield [`${type.name}.${name}`, deprecationReason]
    }
    if (isObjectType(type) || isInterfaceType(type)) {
      for (const { name, deprecationReason, args } of Object.values(type.getFields())) {
        yield [`${type.name}.${name}`, deprecationReason]
        for (const arg of args) yield [`${type.name}.${name}(${arg.name}:)`, arg.deprecationReason]
      }
    }
    if (isInputObjectType(type)) {
      for (const { name, deprecationReason } of Object.values(type.getFields())) {
        yield [`${type.name}.${name}`, deprecationReason]
      }
    }
  }
}

/** Deprecations whose reason does not name, in backticks, something of the schema that is there to stay. */
function withoutReplacement(of: GraphQLSchema): string[] {
  const all = new Map(members(of))
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
