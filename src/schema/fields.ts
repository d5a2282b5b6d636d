import type { FieldRef, InputFieldBuilder, InputFieldRef, InputRef, OutputRef, RootFieldBuilder } from '@pothos/core'
import type { z } from 'zod'
import { answerDescription, type Field, fieldOf } from '../domain/shared/field.ts'
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
  enum: null,
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
 * @param types of the fields whose type the schema does not tell: enums, ids, and text that is a URL
 * @param options read: the row as the caller may see it; note: what null means, where the schema does not say it
 */
export function outputFields<Row extends object, S extends Shape>(
  t: RootFieldBuilder<Kinds, Row, 'PrismaObject'>,
  shape: S,
  types: { readonly [K in keyof S]?: 'ID' | 'URL' | OutputRef<unknown> } = {},
  { read = (row) => row, note }: { read?(row: Row, context: Context): Row; note?(field: Field): string } = {},
): Record<string, FieldRef<Kinds>> {
  const fields = Object.entries(shape).map(([name, schema]) => {
    const field = fieldOf(schema)
    const { kind, isList, isNullable: nullable } = field
    const type = types[name] ?? SCALARS[kind]
    if (type === null) throw new TypeError(`The schema of ${name} does not tell its GraphQL type`)
    const description = answerDescription(field, note?.(field))
    const resolve = (row: Row, _args: object, context: Context) => {
      const value = read(row, context)[name as keyof Row]
      return (kind === 'json' ? context.budget.spend(value) : value) as string
    }
    return [name, t.field({ type: (isList ? [type] : type) as 'String', nullable, description, resolve })]
  })
  return Object.fromEntries(fields)
}
