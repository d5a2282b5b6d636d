import { buildSchema, type GraphQLSchema } from 'graphql'
import { expect, test } from 'vitest'
import { schema } from '../../../src/resolvers/index.ts'
import { ownTypes, schemaMembers } from '../../support/contract/schema-members.ts'

/** A shorter description says no more than the name. */
const MIN_LENGTH = 12

/** A question instead of a noun, or a pronoun for something that is described elsewhere. */
const BAD_START = /^(?:when|where|which|who|whose|whom|what|how|they|their|it|its|of|those|these)\b/i

/** Tools show each entry alone, so a description must not refer to a neighbour; the other words have plainer ones. */
const BANNED =
  /\b(?:nobody|somebody|whoever|whom|anew|once more|no more|what (?:is|was|became)|these are|of these,|the former|the latter|above|below|worthless)\b/i

function faultOf(description: string | null | undefined): string | null {
  if (description == null || description === '') return 'has no description'
  if (description.length < MIN_LENGTH) return `is too short: ${description}`
  if (!description.endsWith('.')) return `does not end with a full stop: ${description}`
  const [words] = BAD_START.exec(description) ?? BANNED.exec(description) ?? []
  return words === undefined ? null : `says "${words}": ${description}`
}

/** The faults of all descriptions, each with the coordinate of its entry. */
function faultsIn(of: GraphQLSchema): string[] {
  const types = ownTypes(of).map((type) => [type.name, type] as const)
  return [...types, ...schemaMembers(of)].flatMap(([coordinate, { description }]) => {
    const fault = faultOf(description)
    return fault === null ? [] : [`${coordinate} ${fault}`]
  })
}

test('everything in the schema has a description that stands alone', () => {
  expect(faultsIn(schema)).toEqual([])
})

test('the rule finds what breaks it', () => {
  const faulty = buildSchema(`
    "Read operations of the API."
    type Query {
      "A field with a fine description."
      fine(
        "An argument with a fine description."
        good: Int
        bad: Int
      ): Colour
      silent(
        "Too short."
        short: Filter
      ): Int
      "When it happened, as a time."
      question: Int
    }
    enum Colour {
      "A colour that nobody likes."
      RED
      "A colour without a full stop"
      BLUE
    }
    "Conditions on the colour."
    input Filter {
      "A value that is like the former."
      former: Int
    }
  `)
  expect(faultsIn(faulty)).toEqual([
    'Colour has no description',
    'Query.fine(bad:) has no description',
    'Query.silent has no description',
    'Query.silent(short:) is too short: Too short.',
    'Query.question says "When": When it happened, as a time.',
    'Colour.RED says "nobody": A colour that nobody likes.',
    'Colour.BLUE does not end with a full stop: A colour without a full stop',
    'Filter.former says "the former": A value that is like the former.',
  ])
})
