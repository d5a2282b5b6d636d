import { readFileSync } from 'node:fs'
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

/** The schemas within a JSON schema, with their paths; references have none of their own. */
function* schemasIn(json: unknown, path: string): Generator<[path: string, schema: Record<string, unknown>]> {
  if (typeof json !== 'object' || json === null || '$ref' in json) return
  for (const [key, child] of Object.entries(json)) {
    const at = `${path}.${key}`
    if (key !== 'properties') yield* schemasIn(child, at)
    else for (const [name, property] of Object.entries(child)) yield* describedIn(property, `${at}.${name}`)
  }
}

function* describedIn(schema: unknown, path: string): Generator<[path: string, schema: Record<string, unknown>]> {
  if (typeof schema === 'object' && schema !== null && !('$ref' in schema)) yield [path, { ...schema }]
  yield* schemasIn(schema, path)
}

interface Described {
  readonly description?: string
}

interface Operation extends Described {
  readonly summary: string
  readonly parameters?: readonly (Described & { readonly name?: string })[]
}

/** Everything of an OpenAPI document that needs a description: schemas, properties, parameters, headers, responses, operations. */
function* membersOf(document: unknown): Generator<[path: string, member: Described]> {
  const { paths, components } = document as {
    paths: Record<string, Record<string, Operation>>
    components: Record<string, Record<string, Described>>
  }
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const at = `${method} ${path}`
      yield [at, operation]
      yield [`${at} summary`, { description: operation.summary }]
      for (const parameter of operation.parameters ?? [])
        if (parameter.name !== undefined) yield [`${at} ${parameter.name}`, parameter]
      yield* schemasIn(operation, at)
    }
  }
  for (const kind of ['schemas', 'parameters', 'headers', 'responses']) {
    for (const [name, member] of Object.entries(components[kind] ?? {})) yield [`${kind}.${name}`, member]
  }
  yield* schemasIn(components['schemas'], 'schemas')
}

function faultsInOpenApi(document: unknown): string[] {
  return [...membersOf(document)].flatMap(([path, { description }]) => {
    const fault = faultOf(description)
    return fault === null ? [] : [`${path} ${fault}`]
  })
}

test('everything in the OpenAPI document has a description that stands alone', () => {
  const document = JSON.parse(readFileSync(new URL('../../../openapi.json', import.meta.url), 'utf8'))
  expect([...membersOf(document)].length).toBeGreaterThan(200)
  expect(faultsInOpenApi(document)).toEqual([])
})

test('the rule finds a member of an OpenAPI document without a description', () => {
  const property = { type: 'object', properties: { inner: { type: 'string' } } }
  const operation = {
    summary: 'List the articles.',
    description: 'Requires a key.',
    parameters: [{ name: 'limit' }, { $ref: '#/components/parameters/cursor' }],
    requestBody: { content: { json: { schema: { properties: { outer: property } } } } },
  }
  const schemas = { Good: { description: 'A good schema.' }, Bad: {} }
  expect(faultsInOpenApi({ paths: { '/articles': { get: operation } }, components: { schemas } })).toEqual([
    'get /articles limit has no description',
    'get /articles.requestBody.content.json.schema.properties.outer has no description',
    'get /articles.requestBody.content.json.schema.properties.outer.properties.inner has no description',
    'schemas.Bad has no description',
  ])
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
