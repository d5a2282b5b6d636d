import { z } from 'zod'
import { webUrl } from './input.ts'

/** The kinds of values of a field. `other` has no counterpart in both APIs: an object. */
export type FieldKind = 'text' | 'url' | 'integer' | 'boolean' | 'time' | 'json' | 'enum' | 'other'

/** A field as its zod schema declares it. GraphQL inputs, GraphQL objects and REST responses are derived from it. */
export interface Field {
  readonly kind: FieldKind
  /** Whether the value is a list of values of that kind. */
  readonly isList: boolean
  readonly isOptional: boolean
  readonly isNullable: boolean
  /** Of an enum. */
  readonly values: readonly string[]
  readonly description: string | undefined
}

/** What a schema declares about a field. */
export function fieldOf(schema: z.ZodType): Field {
  const layers = layersOf(schema)
  const core = layers.at(-1)
  return {
    kind: kindOf(core instanceof z.ZodArray ? layersOf(core.element as z.ZodType).at(-1) : core),
    isList: core instanceof z.ZodArray,
    isOptional: schema.safeParse(undefined).success,
    isNullable: schema.safeParse(null).success,
    values: core instanceof z.ZodEnum ? core.options.map(String) : [],
    description: layers.map(({ description }) => description).find((text) => text !== undefined),
  }
}

/**
 * What an answer says of a field: the value, and what null means.
 * @param note in place of "Null when there is none."
 */
export function answerDescription({ description = '', isNullable }: Field, note?: string): string {
  const isSaid = !isNullable || /\bnull\b/i.test(description)
  const absence = note ?? (isSaid ? '' : 'Null when there is none.')
  return [description, absence].filter(Boolean).join(' ')
}

const URL_CORE = layersOf(webUrl).at(-1)

function kindOf(core: z.ZodType | undefined): FieldKind {
  // Of times, only `instant` takes a Date.
  if (core instanceof z.ZodDate) return 'time'
  if (core === URL_CORE) return 'url'
  if (core instanceof z.ZodString) return 'text'
  if (core instanceof z.ZodNumber && core.isInt) return 'integer'
  if (core instanceof z.ZodBoolean || (core instanceof z.ZodLiteral && core.value === true)) return 'boolean'
  if (core instanceof z.ZodEnum) return 'enum'
  return core instanceof z.ZodRecord ? 'json' : 'other'
}

/**
 * The schema and the schemas within it, outermost first: the input of a transformation, and the first option of a
 * union.
 */
function layersOf(schema: z.ZodType): z.ZodType[] {
  const inner = innerOf(schema)
  return inner === undefined ? [schema] : [schema, ...layersOf(inner as z.ZodType)]
}

function innerOf(schema: z.ZodType): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault) {
    return schema.unwrap()
  }
  if (schema instanceof z.ZodPipe) return schema.in
  return schema instanceof z.ZodUnion ? schema.options[0] : undefined
}
