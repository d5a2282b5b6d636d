import { notifications } from '@mantine/notifications'
import type { AnyVariables, CombinedError, OperationResult, TypedDocumentNode } from '@urql/core'
import { useCallback, useState } from 'react'
import { useClient } from 'urql'

export interface FieldFault {
  readonly path: string
  readonly message: string
}

/** Why a mutation did nothing: a sentence, and which fields are at fault. */
export interface Refused {
  readonly ok: false
  /** The server's, as in `CONFLICT`; null when it was not reached, or failed. */
  readonly code: string | null
  readonly message: string
  readonly fields: readonly FieldFault[]
}

/** What came of a mutation: its payload, or why it did nothing. */
export type Outcome<Payload> = { readonly ok: true; readonly payload: Payload } | Refused

/** A mutation's own fields, which success makes non-null. */
type PayloadOf<Data> = { [Field in keyof Root<Data>]: NonNullable<Root<Data>[Field]> }
type Root<Data> = NonNullable<Data[keyof Data]>

export interface ActionOptions {
  /** Whether a failure is shown as a toast; a form that shows it by itself says false. */
  readonly toast?: boolean
}

/**
 * A mutation with one root field that selects `error`. The returned function never rejects: refused
 * input, missing rights and a lost connection all come back as an outcome with a sentence for people.
 */
export function useAction<Data extends object, Variables extends AnyVariables>(
  document: TypedDocumentNode<Data, Variables>,
  { toast = true }: ActionOptions = {},
): readonly [run: (variables: Variables) => Promise<Outcome<PayloadOf<Data>>>, isRunning: boolean] {
  const client = useClient()
  const [running, setRunning] = useState(0)
  const run = useCallback(
    async (variables: Variables) => {
      setRunning((count) => count + 1)
      const outcome = outcomeOf(await client.mutation(document, variables).toPromise())
      setRunning((count) => count - 1)
      if (!outcome.ok && toast)
        notifications.show({ color: 'red', title: 'Something went wrong', message: outcome.message })
      return outcome
    },
    [client, document, toast],
  )
  return [run, running > 0]
}

/** The server's word on one field, as a sentence. */
export function fieldFault(refused: Refused | null, path: string): string | null {
  const message = refused?.fields.find((field) => field.path === path)?.message
  return message === undefined ? null : `${message.charAt(0).toUpperCase()}${message.slice(1)}`
}

/** What belongs to no field that the form shows. */
export function formFault(refused: Refused | null, paths: readonly string[]): string | null {
  if (refused === null || refused.fields.some(({ path }) => paths.includes(path))) return null
  return refused.message
}

function outcomeOf<Data extends object>({ data, error }: OperationResult<Data>): Outcome<PayloadOf<Data>> {
  if (error !== undefined) return { ok: false, code: null, message: sentence(error), fields: [] }
  const root: unknown = data === undefined ? undefined : Object.values(data)[0]
  if (isPayload<Data>(root)) return { ok: true, payload: root }
  return refusal(root)
}

function isPayload<Data>(root: unknown): root is PayloadOf<Data> {
  return isObject(root) && root['error'] == null
}

function refusal(root: unknown): Refused {
  const error = isObject(root) ? root['error'] : undefined
  if (!isObject(error)) return { ok: false, code: null, message: 'The server did not respond. Try again.', fields: [] }
  const { code, message, fields } = error
  return {
    ok: false,
    code: typeof code === 'string' ? code : null,
    message: typeof message === 'string' ? message : 'The server refused the request.',
    fields: fieldFaults(fields),
  }
}

function fieldFaults(fields: unknown): FieldFault[] {
  if (!Array.isArray(fields)) return []
  return fields.flatMap((each: unknown) => {
    if (!isObject(each) || !Array.isArray(each['path']) || typeof each['message'] !== 'string') return []
    return [{ path: each['path'].join('.'), message: each['message'] }]
  })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Which values of a query's variables the server refused; none when it failed otherwise. */
export function refusedFields({ graphQLErrors }: CombinedError): readonly FieldFault[] {
  return graphQLErrors.flatMap(({ extensions: { fields } }) => fieldFaults(fields))
}

/** What to tell a person about a request that failed as a whole. */
export function sentence({ networkError, graphQLErrors }: CombinedError): string {
  if (networkError !== undefined) return "Can't reach the server. Check your connection and try again."
  const [first] = graphQLErrors
  const requestId = first?.extensions['requestId']
  const reference = typeof requestId === 'string' ? ` (request ${requestId})` : ''
  return `${first?.message ?? 'Something went wrong'}${reference}`
}
