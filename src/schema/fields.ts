import type { FieldRef, InputFieldBuilder, InputFieldRef, InputRef, RootFieldBuilder } from '@pothos/core'
import type { z } from 'zod'
import { type Field, fieldOf } from '../domain/shared/field.ts'
import type { Types } from './builder.ts'
import type { Context } from './context.ts'

type Kinds = PothosSchemaTypes.ExtendDefaultTypes<Types>
type Shape = Readonly<Record<string, z.ZodType>>
/** GraphQL may send null where a field may be left out. */
type InputValue<T> = undefined extends T ? T | null : T
type InputFields<S extends Shape> = { [K in keyof S]: InputFieldRef<Kinds, InputValue<z.input<S[K]>>> }

const SCALARS = {
  text: 'String',
  url: 'URL',
  integer: 'Int',
  boolean: 'Boolean',
  time: 'DateTime',
  json: 'JSONObject',
  other: null,
} as const

/**
 * Fields of an input type, from the zod shape that the operation parses: their types, which are required, and their
 * descriptions.
 * @param types of the fields whose type the schema does not tell: enums, input types, ids, and text that is a URL
 */
export function inputFields<S extends Shape>(
  t: InputFieldBuilder<Kinds, 'InputObject'>,
  shape: S,
  types: { readonly [K in keyof S]?: 'ID' | 'URL' | InputRef<unknown> } = {},
): InputFields<S> {
  const fields = Object.entries(shape).map(([name, schema]) => {
    const { kind, isList, isOptional, description } = fieldOf(schema)
    const type = types[name] ?? SCALARS[kind]
    if (type === null || description === undefined)
      throw new TypeError(`The schema of ${name} lacks ${type === null ? 'a GraphQL type' : 'a description'}`)
    return [name, t.field({ type: (isList ? [type] : type) as 'String', required: !isOptional, description })]
  })
  return Object.fromEntries(fields)
}

/**
 * Fields of an object type, from the zod shape of its plain columns.
 * @param options read: the row as the caller may see it; note: an addition to the description of a field
 */
export function outputFields<Row extends object>(
  t: RootFieldBuilder<Kinds, Row, 'PrismaObject'>,
  shape: Shape,
  { read = (row) => row, note }: { read?(row: Row, context: Context): Row; note?(field: Field): string } = {},
): Record<string, FieldRef<Kinds>> {
  const fields = Object.entries(shape).map(([name, schema]) => {
    const field = fieldOf(schema)
    const { kind, isNullable: nullable } = field
    const type = SCALARS[kind]
    if (type === null) throw new TypeError(`The schema of ${name} does not tell its GraphQL type`)
    const description = [field.description, note?.(field)].filter(Boolean).join(' ')
    const resolve = (row: Row, _args: object, context: Context) => {
      const value = read(row, context)[name as keyof Row]
      return (kind === 'json' ? context.budget.spend(value) : value) as string
    }
    return [name, t.field({ type: type as 'String', nullable, description, resolve })]
  })
  return Object.fromEntries(fields)
}
