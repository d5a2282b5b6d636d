import type { z } from 'zod'

type WithoutNull<T> = { [K in keyof T]: Exclude<T[K], null | undefined> }

/** GraphQL has null where the domain has "left out": for input in which null means nothing else. */
export function omitNull<T extends object>(input: T): Partial<WithoutNull<T>> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value != null)) as Partial<WithoutNull<T>>
}

/**
 * The input as an operation's schema types it. Not parsed here: the operation does that itself, after it has asked
 * whether the actor may.
 */
export function inputOf<S extends z.ZodType>(_schema: S, input: object): z.input<S> {
  return input as z.input<S>
}
