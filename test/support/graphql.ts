import type { Documents } from '../generated/documents.ts'

/** A valid operation's text, which knows the types of its result and of its variables. */
export type TypedDocument<Result = unknown, Variables = never> = string & {
  readonly [TYPES]?: (variables: Variables) => Result
}

declare const TYPES: unique symbol

export type ResultOf<Document> = Document extends TypedDocument<infer Result, never> ? Result : never
export type VariablesOf<Document> = Document extends TypedDocument<unknown, infer Variables> ? Variables : never

/**
 * An operation as codegen.ts has checked it against the schema: what the schema no longer has fails `npm run typecheck`.
 * Text that is malformed on purpose, or made at run time, does without.
 * @param text one literal, for the types are found by it
 */
export function graphql<Text extends keyof Documents>(
  text: Text,
): TypedDocument<Documents[Text]['result'], Documents[Text]['variables']> {
  return text
}

/** What a mutation returns: `error`, or its own fields. */
interface MutationResult {
  readonly error?: unknown
}

/** A mutation's own fields, which success makes non-null. */
export type PayloadOf<Result> = { [Field in keyof NonNullable<Result>]: NonNullable<NonNullable<Result>[Field]> }

/**
 * What a mutation gives when it succeeds.
 * @param result with `error`
 * @throws Error when it was refused
 */
export function payload<Result extends MutationResult>(result: Result | null | undefined): PayloadOf<Result> {
  if (result == null || result.error != null) throw new Error(`The mutation was refused: ${JSON.stringify(result)}`)
  return result as PayloadOf<Result>
}

/** @throws Error for null: what a test has just made must be there */
export function present<Value>(value: Value): NonNullable<Value> {
  if (value == null) throw new Error('There is nothing')
  return value
}
