import type { FormattedExecutionResult } from 'graphql'
import { createClient, type SubscribePayload } from 'graphql-ws'
import type { TypedDocumentString } from './gql/graphql.ts'

/** GudDesk understood the request and refused it: sending it again changes nothing. */
export class Refused extends Error {}

const FINAL = ['bad_request', 'forbidden', 'not_found', 'unauthorized', 'GRAPHQL_VALIDATION_FAILED']

type Answer<Data> = FormattedExecutionResult<Data, unknown>

/** @throws Refused, or another Error for what can be sent again */
function dataOf<Data>({ data, errors: [error] = [] }: Answer<Data>): Data {
  if (FINAL.includes(String(error?.extensions?.['code']))) throw new Refused(error?.message)
  if (error !== undefined || data == null) throw new Error(error?.message ?? 'The response has no data')
  return data
}

/** The hash is for servers that only run trusted documents, the text for all others. */
function operationOf(document: TypedDocumentString<unknown, never>, variables: object): SubscribePayload {
  const sha256Hash = String(document.__meta__?.['hash']).replace('sha256:', '')
  return {
    query: document.toString(),
    variables: { ...variables },
    extensions: { persistedQuery: { version: 1, sha256Hash } },
  }
}

/** Runs a query or a mutation. @throws Refused when GudDesk says no; another Error for what can be sent again */
export async function request<Data, Variables extends object>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(operationOf(document, variables)),
    signal: AbortSignal.timeout(8000),
  })
  return dataOf<Data>(await response.json())
}

let socket: WebSocket | undefined
let pong: ReturnType<typeof setTimeout> | undefined
const client = createClient({
  url: new URL('/graphql', location.href).href.replace(/^http/, 'ws'),
  keepAlive: 5000,
  // follow() subscribes again, with the cursor that it has reached.
  retryAttempts: 0,
  on: {
    opened: (opened) => {
      socket = opened as WebSocket
    },
    ping: (received) => {
      if (!received) pong = setTimeout(() => socket?.close(4408, 'No answer'), 4000)
    },
    pong: () => clearTimeout(pong),
    closed: () => clearTimeout(pong),
  },
})

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Follows a subscription over lost connections: it resumes after the last cursor. `onUpdate` is awaited; `isFresh`: what
 * was read before this update may be out of date.
 */
export async function follow<Data, Variables extends object>(
  document: TypedDocumentString<Data, Variables>,
  variables: Omit<Variables, 'after'>,
  cursorOf: (data: Data) => string | null,
  onUpdate: (data: Data, isFresh: boolean) => void | Promise<void>,
  stop: AbortSignal,
): Promise<void> {
  let after: string | null = null
  while (!stop.aborted) {
    const updates: AsyncIterableIterator<Answer<Data>> = client.iterate(operationOf(document, { ...variables, after }))
    const end = () => void updates.return?.()
    stop.addEventListener('abort', end)
    try {
      for await (const update of updates) {
        const data = dataOf(update)
        await onUpdate(data, after === null)
        after = cursorOf(data) ?? after
      }
    } catch (error) {
      // A cursor that is no longer kept: begin again with the present.
      if (error instanceof Refused) after = null
    } finally {
      stop.removeEventListener('abort', end)
    }
    if (!stop.aborted) await pause(500)
  }
}
