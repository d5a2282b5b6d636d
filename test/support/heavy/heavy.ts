import fc from 'fast-check'
import {
  DOCUMENTS,
  fill,
  HEADER_UNITS,
  HEADERS,
  PATHS,
  QUERIES,
  REST_BODIES,
  URL_UNITS,
  VALUES,
} from './heavy-parts.ts'

// Requests that are as much work as a mebibyte can be, over every transport.

/** Of a mebibyte, what is left beside the rest of a body. */
const MAX_VALUE_BYTES = 1_040_000
/** Of Node's parser, for the URL and all headers together. */
const MAX_HEAD_BYTES = 15_000

export type Transport = 'REST' | 'POST' | 'GET' | 'SSE' | 'WebSocket'

export interface HeavyRequest {
  readonly transport: Transport
  /** What it is made of, for the report. */
  readonly name: string
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: Record<string, string>
  /** Text of the body or of the WebSocket's message. */
  readonly body: string | undefined
  readonly signedIn: boolean
  /** How often the body is sent over a WebSocket, at once. */
  readonly times: number
}

/** What an operation is, and the name of a variable of it that may be large. */
export type Operation = readonly [asked: { query: string } | { documentId: string }, variable: string]

interface Part {
  readonly name: string
  readonly text: string
}

/** For servers that run any document. */
export const ANY_OPERATION: readonly Operation[] = QUERIES.map((query) => [{ query }, 'v'])

/** In a document: becomes another comment at each attempt, so that nothing is found in a cache. */
export const ATTEMPT = '#ATTEMPT'
/** In a message that is sent many times: becomes its number. */
export const EACH = 'EACH'

const JSON_TYPE = { 'content-type': 'application/json' }
const keysOf = (record: Record<string, unknown>) => fc.constantFrom(...Object.keys(record))

/** Sizes: mostly as large as may be, often where limits are. */
const sizes = fc.oneof(
  { weight: 4, arbitrary: fc.constant(MAX_VALUE_BYTES) },
  { weight: 2, arbitrary: fc.integer({ min: 1000, max: MAX_VALUE_BYTES }) },
  { weight: 2, arbitrary: fc.constantFrom(2000, 16_000, 60_000, 100_000) },
)

const part = (records: Record<string, (bytes: number) => string>, amounts: fc.Arbitrary<number>): fc.Arbitrary<Part> =>
  fc.tuple(keysOf(records), amounts).map(([name, amount]) => ({
    name: `${name} (${amount})`,
    text: records[name]?.(amount) ?? '',
  }))

const values = part(VALUES, sizes)
const documents = part(
  DOCUMENTS,
  fc.oneof(fc.constantFrom(20, 60, 100, 250, 330, 500, 650, 980, 1900), fc.integer({ min: 1, max: 2500 })),
)

/** The JSON of an operation's parameters. */
const parameters = (operations: readonly Operation[]): fc.Arbitrary<Part> =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: documents.map(({ name, text }) => ({
        name: `a document with ${name}`,
        text: JSON.stringify({ query: text + ATTEMPT }),
      })),
    },
    {
      weight: 6,
      arbitrary: fc.tuple(fc.constantFrom(...operations), values).map(([[asked, variable], { name, text }]) => ({
        name: `$${variable} of ${JSON.stringify(asked)}: ${name}`,
        text: `${JSON.stringify(asked).slice(0, -1)},"variables":{"${variable}":${text}}}`,
      })),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom('query', 'operationName', 'documentId', 'extensions', 'variables', 'unknown'), values)
        .map(([member, { name, text }]) => ({
          name: `${member}: ${name}`,
          text: `{"query":"{__typename}","${member}":${text}}`,
        })),
    },
  )

type Made = Omit<HeavyRequest, 'transport' | 'signedIn'>

const base = { method: 'POST', path: '/graphql', headers: {}, body: undefined, times: 1 }

const rest: fc.Arbitrary<Made> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom(...REST_BODIES), values, fc.boolean())
      .map(([[method, path, field], { name, text }, isOnce]) => ({
        ...base,
        name: `${field}: ${name}${isOnce ? ', once' : ''}`,
        method,
        path,
        headers: { ...JSON_TYPE, ...(isOnce && { 'idempotency-key': 'key' }) },
        body: `{"name":"a","body":"a","title":"a","${field}":${text}}`,
      })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(...PATHS), keysOf(URL_UNITS)).map(([path, unit]) => ({
      ...base,
      name: `URL of ${unit}`,
      method: 'GET',
      path: path + fill(URL_UNITS[unit] ?? '', MAX_HEAD_BYTES),
    })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...HEADERS),
        fc.constantFrom(...HEADER_UNITS),
        fc.constantFrom('/api/v1/conversations', '/graphql?query={__typename}', '/'),
      )
      .map(([header, unit, path]) => ({
        ...base,
        name: `header ${header}: ${unit}`,
        method: 'GET',
        path,
        headers: { [header]: fill(unit, MAX_HEAD_BYTES).trim() || 'a' },
      })),
  },
)

function overGet(operations: readonly Operation[]): fc.Arbitrary<Made> {
  const smallValues = part(VALUES, fc.constantFrom(1000, 5000, 10_000))
  const query = fc.oneof(
    documents.map(({ name, text }) => ({ name, query: new URLSearchParams({ query: text + ATTEMPT }) })),
    fc.tuple(fc.constantFrom(...operations), smallValues).map(([[asked, variable], { name, text }]) => ({
      name: `$${variable} of ${JSON.stringify(asked)}: ${name}`,
      query: new URLSearchParams({ ...asked, variables: `{"${variable}":${text}}` }),
    })),
  )
  return fc.tuple(query, fc.boolean()).map(([{ name, query }, isStream]) => ({
    ...base,
    name,
    method: 'GET',
    path: `/graphql?${query}`,
    headers: isStream ? { accept: 'text/event-stream' } : {},
  }))
}

function overPost(operations: readonly Operation[], headers: Record<string, string>): fc.Arbitrary<Made> {
  return parameters(operations).map(({ name, text }) => ({
    ...base,
    name,
    headers: { ...JSON_TYPE, ...headers },
    body: text,
  }))
}

function overWebSocket(operations: readonly Operation[]): fc.Arbitrary<Made> {
  const message = (of: fc.Arbitrary<Part>, frame: (name: string, text: string) => Partial<Made>) =>
    of.map(({ name, text }) => ({ ...base, name, ...frame(name, text) }))
  const small = fc.tuple(documents, fc.integer({ min: 2, max: 5000 }))
  return fc.oneof(
    {
      weight: 6,
      arbitrary: message(parameters(operations), (_, text) => ({
        body: `{"id":"1","type":"subscribe","payload":${text}}`,
      })),
    },
    { weight: 1, arbitrary: message(values, (name, text) => ({ name: `a message: ${name}`, body: text })) },
    {
      weight: 1,
      arbitrary: message(values, (name, text) => ({
        name: `ping: ${name}`,
        body: `{"type":"ping","payload":{"a":${text}}}`,
      })),
    },
    {
      weight: 1,
      arbitrary: message(values, (name, text) => ({
        name: `init: ${name}`,
        body: `{"type":"connection_init","payload":{"a":${text}}}`,
      })),
    },
    {
      weight: 1,
      arbitrary: message(values, (name, text) => ({
        name: `id: ${name}`,
        body: `{"type":"subscribe","id":${text},"payload":{"query":"{__typename}"}}`,
      })),
    },
    {
      weight: 2,
      arbitrary: small.map(([{ name, text }, times]) => {
        const body = `{"id":"${EACH}","type":"subscribe","payload":${JSON.stringify({ query: `${text}#${EACH}` })}}`
        const most = Math.max(1, Math.min(times, Math.floor(MAX_VALUE_BYTES / body.length)))
        return { ...base, name: `${most} times a document with ${name}`, body, times: most }
      }),
    },
  )
}

const REQUESTS: Record<Transport, (operations: readonly Operation[]) => fc.Arbitrary<Made>> = {
  REST: () => rest,
  POST: (operations) => overPost(operations, {}),
  SSE: (operations) => overPost(operations, { accept: 'text/event-stream' }),
  GET: overGet,
  WebSocket: overWebSocket,
}

export const TRANSPORTS = Object.keys(REQUESTS) as Transport[]

/** Requests of a transport, the same ones for the same seed; about half of them signed in. */
export function heavyRequests(
  transport: Transport,
  operations: readonly Operation[],
  { count, seed }: { count: number; seed: number },
): HeavyRequest[] {
  return fc
    .sample(fc.tuple(REQUESTS[transport](operations), fc.boolean()), { seed, numRuns: count })
    .map(([request, signedIn]) => ({ ...request, transport, signedIn }))
}
