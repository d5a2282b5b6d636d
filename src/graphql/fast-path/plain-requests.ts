import type { IncomingHttpHeaders } from 'node:http'
import { type GraphQLParams, isAsyncIterable, processRegularResult, type YogaServerInstance } from 'graphql-yoga'
import { parseJson } from '../../infra/json.ts'
import type { KnownDocuments } from '../trusted-documents.ts'
import type { Incoming } from '../websocket.ts'

/**
 * Handles the usual request: a POST of one query or mutation as JSON, with a JSON response. Yoga's HTTP layer creates a
 * Request, streams and a Response, which costs several times as much as a small operation. Here, the body is parsed and
 * passed to Yoga's pipeline (`getResultForParams`: parsing, validation, context, execution, every plugin), and the
 * result is written as one string. All other requests are left to Yoga: GET, subscriptions, GraphiQL, other media
 * types, and malformed requests, so that one place reports errors.
 */

/** An operation to run, and the media type of its response. */
export interface PlainRequest {
  readonly params: GraphQLParams
  readonly accepted: MediaType
}

type MediaType = 'application/json' | 'application/graphql-response+json'

export interface Answer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string
}

const JSON_TYPE = /^application\/json *(?:; *charset=(?:utf-?8|"utf-?8") *)?$/i

/**
 * @param find resolves the id of a document
 * @returns undefined for requests that are left to Yoga
 */
export function plainRequest(
  headers: IncomingHttpHeaders,
  body: Buffer,
  find: KnownDocuments['find'],
): PlainRequest | undefined {
  if (!JSON_TYPE.test(headers['content-type'] ?? '')) return undefined
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') return undefined
  const accepted = acceptedType(headers.accept || '*/*')
  if (accepted === undefined) return undefined
  const given = parseParams(body)
  const params = given && find(given)
  // A subscription has a stream of results. The word can also occur elsewhere in the text; Yoga decides.
  if (params?.query === undefined || params.query.includes('subscription')) return undefined
  return { params, accepted }
}

/** Like Yoga: the first type of the header that a result can have. */
function acceptedType(accept: string): MediaType | undefined {
  for (const range of accept.toLowerCase().split(',')) {
    const [type, ...parameters] = range.replace(/\s/g, '').split(';')
    // Headers with weights, charsets or wildcards are left to Yoga.
    if (parameters.length > 0) return undefined
    if (type === 'application/json' || type === 'application/graphql-response+json') return type
    if (type === '*/*') return 'application/json'
    if (type?.includes('*')) return undefined
  }
  return undefined
}

const PARAMS: Record<string, (value: unknown) => boolean> = {
  query: (value) => typeof value === 'string',
  operationName: (value) => typeof value === 'string' || value === null,
  variables: (value) => typeof value === 'object' && !Array.isArray(value),
  extensions: (value) => typeof value === 'object' && !Array.isArray(value),
  documentId: (value) => typeof value === 'string',
}

function parseParams(body: Buffer): GraphQLParams | undefined {
  let params: unknown
  try {
    params = parseJson(body)
  } catch {
    return undefined
  }
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return undefined
  for (const [name, value] of Object.entries(params)) {
    if (!Object.hasOwn(PARAMS, name) || PARAMS[name]?.(value) !== true) return undefined
  }
  return params
}

/** The request as plugins see it. */
const REQUEST = new Request('http://guddesk.internal/graphql', { method: 'POST' })

/** Runs an operation. Errors are masked in the result. @param incoming the basis of the context */
export async function answerPlain<Context extends object>(
  yoga: YogaServerInstance<Incoming, Context>,
  { params, accepted }: PlainRequest,
  incoming: Incoming,
): Promise<Answer> {
  const result = await yoga.getResultForParams({ params, request: REQUEST }, incoming)
  if (result === undefined || isAsyncIterable(result)) throw new Error('A plain operation has one result')
  if (result.errors === undefined) {
    return { status: 200, headers: { 'Content-Type': `${accepted}; charset=utf-8` }, body: JSON.stringify(result) }
  }
  // Errors affect status and headers, by Yoga's rules.
  const response = processRegularResult(result, yoga.fetchAPI, accepted)
  return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() }
}
