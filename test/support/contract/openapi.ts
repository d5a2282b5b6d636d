import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { routes } from '../../../src/rest/app.ts'
import { openApiDocument } from '../../../src/rest/openapi.ts'

type Json = { [key: string]: unknown }

/** The document, but closed: a field that it does not name is a mistake here. Clients must not read it so. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed)
  if (typeof value !== 'object' || value === null) return value
  const inner = Object.fromEntries(Object.entries(value).map(([key, child]) => [key, closed(child)]))
  const isObject = inner['type'] === 'object' && 'properties' in inner && !('additionalProperties' in inner)
  return isObject ? { ...inner, additionalProperties: false } : inner
}

const document = closed(openApiDocument(routes, '0.0.0')) as Json
const ajv = new Ajv2020({ strict: false, allErrors: true })
formats.default(ajv)
ajv.addSchema({ $id: 'api', ...document })

const validators = new Map<string, ValidateFunction>()

/** The check of a place in the document, by its JSON pointer. */
function validator(pointer: string): ValidateFunction {
  const found = validators.get(pointer) ?? ajv.compile({ $ref: `api#${pointer}` })
  validators.set(pointer, found)
  return found
}

const escaped = (name: string) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))

/** The documented path that a request's path belongs to. */
const patterns = [...new Set(routes.map(({ path }) => path))]
  .map((path) => ({
    path: path.replace(/:(\w+)/g, '{$1}'),
    pattern: new RegExp(`^/api${path.replace(/:\w+/g, '[^/]+')}/?$`),
  }))
  .sort((a, b) => b.path.length - a.path.length)

/** @throws Error when openapi.json says something else about an answer of the REST API */
export function expectDocumented(method: string, url: string, status: number, body: unknown): void {
  const [pathname = ''] = url.split('?')
  const known = patterns.find(({ pattern }) => pattern.test(pathname))
  const isRoute = known !== undefined && routes.some((route) => matches(route, method, known.path))
  if (status >= 300 || !isRoute) {
    if (pathname.startsWith('/api/') && status >= 400 && method !== 'HEAD')
      check('/components/schemas/Error', url, body)
    return
  }
  const operation = `/paths/${escaped(known.path)}/${method.toLowerCase()}/responses/${status}`
  check(`${operation}/content/application~1json/schema`, `${method} ${url} (${status})`, body)
}

function matches(route: { method: string; path: string }, method: string, path: string): boolean {
  return route.method === method && route.path.replace(/:(\w+)/g, '{$1}') === path
}

function check(pointer: string, what: string, body: unknown): void {
  const validate = validator(pointer)
  if (validate(body)) return
  throw new Error(
    `openapi.json says something else about ${what}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(body)}`,
  )
}
