import { getNamedType, getNullableType, isEnumType, isInputObjectType, isListType, isObjectType } from 'graphql'
import { expect, test } from 'vitest'
import { schema } from '../../../src/resolvers/index.ts'

// Rules of docs/graphql.md for names and lists, for the whole schema.

const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'))

const outputs = types
  .filter((type) => isObjectType(type))
  .flatMap((type) =>
    Object.values(type.getFields()).map((field) => ({ coordinate: `${type.name}.${field.name}`, field })),
  )

const inputs = types.flatMap((type) => {
  if (isInputObjectType(type)) {
    return Object.values(type.getFields()).map((field) => ({ coordinate: `${type.name}.${field.name}`, field }))
  }
  if (!isObjectType(type)) return []
  return Object.values(type.getFields()).flatMap(({ name, args }) =>
    args.map((field) => ({ coordinate: `${type.name}.${name}(${field.name}:)`, field })),
  )
})

/** Verbs that say by themselves whether something is so. */
const STATES = /^(?:is|has|may|must)[A-Z]/

/** What the caller asks for, in the imperative; `ignoreOwnEvents` is the same word in REST. */
const REQUESTS = /^(?:endAccess|revokeApiKeys|includeSkipped|includeTests|ignoreOwnEvents)$/

/** Choices, of which exactly one is made. */
const CHOICES = ['AssigneeFilter.me', 'AssigneeFilter.none']

test('a Boolean says that something is so, or what is asked for', () => {
  const booleans = [...outputs, ...inputs].filter(({ field }) => getNamedType(field.type).name === 'Boolean')
  const faults = booleans
    .filter(({ field }) => !STATES.test(field.name) && !REQUESTS.test(field.name))
    .map(({ coordinate }) => coordinate)
  expect(faults.sort()).toEqual(CHOICES)
  expect(booleans.length).toBeGreaterThan(30)
})

/** As long as the input that was sent is deep. */
const SHORT = ['FieldError.path']

test('a list is in pages, or its description says how long it can be', () => {
  const lists = outputs.filter(({ field }) => isListType(getNullableType(field.type)))
  const faults = lists
    .filter(({ coordinate, field }) => {
      const isPage = /Connection\.(?:edges|nodes)$/.test(coordinate)
      const isBounded = isEnumType(getNamedType(field.type)) || /\bat most [\d,]+/i.test(field.description ?? '')
      return !isPage && !isBounded
    })
    .map(({ coordinate }) => coordinate)
  expect(faults).toEqual(SHORT)
  expect(lists.length).toBeGreaterThan(25)
})
