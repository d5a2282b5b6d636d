import { z } from 'zod'
import { type FieldError, ValidationError } from '../domain/shared/errors.ts'
import { parse } from '../domain/shared/input.ts'
import type { Route } from './route.ts'

/** A query string's parameters, by name. */
type QueryParameters = Readonly<Record<string, string | readonly string[] | undefined>>

export interface QueryValues {
  /** What the route's schema makes of its parameters. */
  readonly query: unknown
  /** Those that every route has, or every list. */
  readonly workspaceId: string | undefined
  readonly limit: string | undefined
  readonly cursor: string | undefined
}

/** How many unknown parameters an answer names. */
const MAX_NAMED = 20
const MAX_NAME = 100

/** A parameter that is `true` or `false`. */
export const booleanParameter = z.enum(['true', 'false']).transform((value) => value === 'true')

/** A parameter with several values: `status=OPEN,CLOSED`, or `status=OPEN&status=CLOSED`. */
export const separated = <S extends z.ZodType>(value: S) =>
  z.preprocess(
    (raw) => (Array.isArray(raw) ? raw.flatMap((text) => String(text).split(',')) : raw),
    listParameter(value),
  )

/** The same where a value may hold a comma: `tag=a&tag=b`. */
export const listParameter = <S extends z.ZodType>(value: S) => z.array(value).min(1).max(50)

/**
 * Reads a route's query strings.
 * @returns a reader that throws ValidationError for a parameter that the route does not have, and for one that is
 * repeated and no list
 */
export function queryReader({
  query,
  answer,
}: Pick<Route, 'query' | 'answer'>): (parameters: QueryParameters) => QueryValues {
  const own = query === undefined ? {} : propertiesOf(query)
  const common = answer instanceof z.ZodArray ? ['limit', 'cursor', 'workspaceId'] : ['workspaceId']
  const known = new Set([...Object.keys(own), ...common])
  const lists = new Set(Object.keys(own).filter((name) => own[name]?.type === 'array'))
  return (parameters) => {
    refuseFaults([...unknown(Object.keys(parameters), known), ...repeated(parameters, lists)])
    const values: Record<string, unknown> = { ...parameters }
    for (const name of lists) if (parameters[name] !== undefined) values[name] = [parameters[name]].flat()
    const { workspaceId, limit, cursor } = values as Partial<Record<'workspaceId' | 'limit' | 'cursor', string>>
    return { query: query === undefined ? {} : parseParameters(query, values), workspaceId, limit, cursor }
  }
}

function propertiesOf(query: z.ZodType): Record<string, { type?: string }> {
  const schema = z.toJSONSchema(query, { io: 'input', unrepresentable: 'any' })
  return (schema.properties ?? {}) as Record<string, { type?: string }>
}

function unknown(names: readonly string[], known: ReadonlySet<string>): FieldError[] {
  const message = `is an unknown parameter. Allowed: ${[...known].join(', ')}`
  return names
    .filter((name) => !known.has(name))
    .slice(0, MAX_NAMED)
    .map((name) => ({ path: name.slice(0, MAX_NAME), message }))
}

function repeated(given: QueryParameters, lists: ReadonlySet<string>): FieldError[] {
  return Object.entries(given)
    .filter(([name, value]) => Array.isArray(value) && !lists.has(name))
    .slice(0, MAX_NAMED)
    .map(([name]) => ({ path: name.slice(0, MAX_NAME), message: 'must be sent only once' }))
}

function refuseFaults(faults: readonly FieldError[]): void {
  if (faults.length > 0) throw new ValidationError(faults)
}

/** Faults name the parameter, not the place in its list. */
function parseParameters(query: z.ZodType, values: Record<string, unknown>): unknown {
  try {
    return parse(query, values)
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error
    throw new ValidationError(error.fields.map(({ path, message }) => ({ path: path.replace(/\.\d+$/, ''), message })))
  }
}
