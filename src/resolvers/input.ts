import type { z } from 'zod'

type WithoutNull<T> = { [K in keyof T]: Exclude<T[K], null | undefined> }

/** GraphQL has null where the domain has "left out": for input in which null means nothing else. */
export function omitNull<T extends object>(input: T): Partial<WithoutNull<T>> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value != null)) as Partial<WithoutNull<T>>
}

type Condition<T> = T extends Date | readonly unknown[] ? T : T extends object ? Partial<WithoutNull<T>> : T

/** The conditions of a filter, without null: also within those that are input objects themselves. */
export function conditionsOf<T extends object>(
  filter: T | null | undefined,
): { [K in keyof T]?: Condition<Exclude<T[K], null | undefined>> } {
  const conditions = Object.entries(omitNull(filter ?? {})).map(([name, value]) => [
    name,
    isInputObject(value) ? omitNull(value) : value,
  ])
  return Object.fromEntries(conditions)
}

function isInputObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/**
 * The input as an operation's schema types it. Not parsed here: the operation does that itself, after it has asked
 * whether the actor may.
 */
export function inputOf<S extends z.ZodType>(_schema: S, input: object): z.input<S> {
  return input as z.input<S>
}
