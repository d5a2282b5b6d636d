import { ValidationError } from '../domain/shared/errors.ts'

/** The maximum number of parameters in a URL. */
const MAX_PARAMETERS = 100

/**
 * The parameters of a query string; a list of values for repeated names. Replaces `ctx.query`, whose time grows with
 * the square of their number.
 * @throws ValidationError when there are too many
 */
export function parseQueryString(text: string): Record<string, string | string[]> {
  const parameters = new Map<string, string | string[]>()
  let count = 0
  for (const [name, value] of new URLSearchParams(text)) {
    if (++count > MAX_PARAMETERS) {
      throw new ValidationError([{ path: '', message: `The URL must have at most ${MAX_PARAMETERS} parameters` }])
    }
    const before = parameters.get(name)
    parameters.set(name, before === undefined ? value : [before, value].flat())
  }
  return Object.fromEntries(parameters)
}
