import { GraphQLError, Kind, type ValueNode } from 'graphql'
import { numberOf, parseInstant } from '../domain/shared/input.ts'
import { builder } from './builder.ts'

function toDate(value: unknown): Date {
  const date = parseInstant(value)
  if (date !== null) return date
  throw new GraphQLError(
    'A DateTime is ISO 8601 text of a time that exists, with seconds and Z or an offset, such as 2026-01-15T10:30:00.000Z',
  )
}

builder.scalarType('DateTime', {
  description:
    'A point in time, as a `date-time` of RFC 3339 with `T` and `Z` in upper case. Results are in UTC with milliseconds, such as `2026-01-15T10:30:00.000Z`. Input may have another offset, and any number of decimals. Leap seconds and the year 0 are refused.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  serialize: (date) => date.toISOString(),
  parseValue: toDate,
  parseLiteral: (node) => toDate(node.kind === Kind.STRING ? node.value : undefined),
})

function toUrl(value: unknown): string {
  if (typeof value === 'string') return value
  throw new GraphQLError('A URL is text, such as https://example.com/path')
}

builder.scalarType('URL', {
  specifiedByURL: 'https://url.spec.whatwg.org/',
  description:
    'An absolute HTTP or HTTPS URL of at most 2,048 characters. A mutation refuses any other URL in its payload.',
  serialize: (url) => url,
  // Any text passes: the operation checks the URL, after it has checked the permission.
  parseValue: toUrl,
  parseLiteral: (node) => toUrl(node.kind === Kind.STRING ? node.value : undefined),
})

builder.scalarType('JSONObject', {
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  description:
    'A JSON object with any keys and values. The payload of a mutation refuses other values, and objects that are too large.',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: literalToJson,
})

function literalToJson(node: ValueNode, variables?: Record<string, unknown> | null): unknown {
  switch (node.kind) {
    case Kind.OBJECT:
      return Object.fromEntries(
        node.fields
          .map(({ name, value }) => [name.value, literalToJson(value, variables)] as const)
          .filter(([, value]) => value !== undefined),
      )
    case Kind.LIST:
      return node.values.map((value) => literalToJson(value, variables) ?? null)
    case Kind.INT:
    case Kind.FLOAT:
      return numberOf(node.value)
    case Kind.NULL:
      return null
    case Kind.VARIABLE:
      // A variable that was left out leaves out its field, and makes an item null, as in GraphQL's own input types.
      return Object.hasOwn(variables ?? {}, node.name.value) ? variables?.[node.name.value] : undefined
    default:
      return node.value
  }
}
