import { z } from 'zod'
import { type FieldError, ValidationError } from '../domain/shared/errors.ts'
import { parse } from '../domain/shared/input.ts'
import type { Route } from './route.ts'

/** A query string's parameters, by name. */
type QueryParameters = Readonly<Record<string, string | readonly string[] | undefined>>

export interface QueryValues {
  /** The parsed parameters of the route. */
  readonly query: unknown
  /** Parameters of every route, or of every list. */
  readonly workspaceId: string | undefined
  readonly limit: string | undefined
  readonly cursor: string | undefined
}

/** The maximum number of invalid parameters that a response names. */
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

/** A parameter whose values can contain commas: `tag=a&tag=b`. */
export const listParameter = <S extends z.ZodType>(value: S) => z.array(value).min(1).max(50)

/**
 * Reads a route's query strings.
 * @returns a reader that throws ValidationError for unknown parameters, and for repeated parameters that take one value
 */
export function queryReader({
  query,
  response,
}: Pick<Route, 'query' | 'response'>): (parameters: QueryParameters) => QueryValues {
  const own = query === undefined ? {} : propertiesOf(query)
  const common = response instanceof z.ZodArray ? ['limit', 'cursor', 'workspaceId'] : ['workspaceId']
  const known = new Set([...Object.keys(own), ...common])
  const lists = new Set(Object.keys(own).filter((name) => own[name]?.type === 'array'))
  return (parameters) => {
    throwOnErrors([...unknown(Object.keys(parameters), known), ...repeated(parameters, lists)])
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

function repeated(parameters: QueryParameters, lists: ReadonlySet<string>): FieldError[] {
  return Object.entries(parameters)
    .filter(([name, value]) => Array.isArray(value) && !lists.has(name))
    .slice(0, MAX_NAMED)
    .map(([name]) => ({ path: name.slice(0, MAX_NAME), message: 'must be sent only once' }))
}

function throwOnErrors(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw new ValidationError(errors)
}

/** Errors name the parameter, without the index of a value in its list. */
function parseParameters(query: z.ZodType, values: Record<string, unknown>): unknown {
  try {
    return parse(query, values)
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error
    throw new ValidationError(error.fields.map(({ path, message }) => ({ path: path.replace(/\.\d+$/, ''), message })))
  }
}
