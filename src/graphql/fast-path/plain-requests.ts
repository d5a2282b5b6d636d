import type { IncomingHttpHeaders } from 'node:http'
import { type GraphQLParams, isAsyncIterable, processRegularResult, type YogaServerInstance } from 'graphql-yoga'
import { parseJson } from '../../infra/json.ts'
import type { KnownDocuments } from '../trusted-documents.ts'
import type { Incoming } from '../websocket.ts'

/*
 * The usual request: a POST of one query or mutation as JSON, answered with JSON. Yoga's own HTTP layer
 * makes a Request, streams and a Response of it, which costs several times what a small operation does. Here the body is
 * parsed, given to Yoga's pipeline (`getResultForParams`: parsing, validation, context, execution, every plugin), and the
 * result is written as one string. Whatever is not plainly such a request is Yoga's: GET, subscriptions, GraphiQL, other
 * media types, and every malformed request, so that there is one place that says what is wrong.
 */

/** An operation to run, and the media type of its answer. */
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
 * @param find what an operation that is asked for by an id stands for
 * @returns undefined for what is left to Yoga
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
  // A subscription's results are a stream. The word may be elsewhere in the text: Yoga will see.
  if (params?.query === undefined || params.query.includes('subscription')) return undefined
  return { params, accepted }
}

/** Yoga's choice: the first type of the header that a result can have. */
function acceptedType(accept: string): MediaType | undefined {
  for (const range of accept.toLowerCase().split(',')) {
    const [type, ...parameters] = range.replace(/\s/g, '').split(';')
    // No weights, charsets or partly open ranges here.
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

/** What plugins see of such a request. */
const REQUEST = new Request('http://guddesk.internal/graphql', { method: 'POST' })

/**
 * Runs an operation. What fails is in the result, masked.
 * @param incoming what the context is made from
 */
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
  // Errors have a say in status and headers: Yoga's rules.
  const response = processRegularResult(result, yoga.fetchAPI, accepted)
  return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() }
}
