import { assertInterfaceType, defaultFieldResolver, type GraphQLSchema, isNonNullType } from 'graphql'
import {
  ConflictError,
  DomainError,
  type ErrorCode,
  type FieldError,
  type FieldErrorCode,
  LoopDetectedError,
  RateLimitedError,
  ValidationError,
} from '../domain/shared/errors.ts'
import { builder } from './builder.ts'
import type { Context } from './context.ts'

/** The codes that a mutation returns in its payload. All others fail the request. */
const MUTATION_ERROR_CODES = {
  BAD_REQUEST: { value: 'bad_request', description: 'The input is invalid. `fields` names each invalid value.' },
  FORBIDDEN: { value: 'forbidden', description: 'The permission or role of the caller is too low.' },
  NOT_FOUND: { value: 'not_found', description: 'An object does not exist, or the caller cannot see it.' },
  CONFLICT: {
    value: 'conflict',
    description:
      'The change contradicts the current state. `fields` names the input value, if a single one is at fault.',
  },
  LOOP_DETECTED: {
    value: 'loop_detected',
    description:
      'Bots sent too many replies to a conversation without a message of its visitor. See `retryAfterSeconds`.',
  },
  RATE_LIMITED: { value: 'rate_limited', description: 'There were too many attempts. See `retryAfterSeconds`.' },
} as const satisfies Record<string, { value: ErrorCode; description: string }>

type MutationErrorCode = (typeof MUTATION_ERROR_CODES)[keyof typeof MUTATION_ERROR_CODES]['value']

const MutationErrorCodeRef = builder.enumType('ErrorCode', {
  description: 'The reason why a mutation was refused. The same codes as in REST, in upper case.',
  values: MUTATION_ERROR_CODES,
})

const FieldErrorCodeRef = builder.enumType('FieldErrorCode', {
  description: 'The reason why an input value was refused.',
  values: {
    REQUIRED: { value: 'required', description: 'The value is missing.' },
    TOO_SMALL: { value: 'too_small', description: 'The number is too small, or the text or list too short.' },
    TOO_LARGE: { value: 'too_large', description: 'The number is too large, or the text or list too long.' },
    UNKNOWN: { value: 'unknown', description: 'The input has no such field.' },
    TAKEN: { value: 'taken', description: 'Another object already has this value.' },
    INVALID: { value: 'invalid', description: 'The value breaks another rule; `message` names it.' },
  } as const satisfies Record<string, { value: FieldErrorCode; description: string }>,
})

/** A refused value as GraphQL shows it: `path` as names and list indexes, none for the whole input. */
interface ShownFieldError {
  readonly path: string[]
  readonly code: FieldErrorCode
  readonly message: string
}

/** The same in a mutation's payload and in the `extensions` of an error. */
export function shownFieldError({ path, code = 'invalid', message }: FieldError): ShownFieldError {
  return { path: path === '' ? [] : path.split('.'), code, message }
}

const FieldErrorRef = builder.objectRef<ShownFieldError>('FieldError').implement({
  description: 'One input value that was refused.',
  fields: (t) => ({
    path: t.exposeStringList('path', {
      description: 'The path of the value in the input, as names and list indexes. Empty for the whole input.',
    }),
    code: t.expose('code', { type: FieldErrorCodeRef, description: 'The reason, for programs.' }),
    message: t.exposeString('message', { description: 'The rule that the value breaks, as text for people.' }),
  }),
})

/** A refusal as plain data, because GraphQL's executor throws every `Error` that a resolver returns. */
export interface Refusal {
  readonly code: MutationErrorCode
  readonly message: string
  readonly fields: ShownFieldError[]
  readonly retryAfterSeconds: number | null
}

export const MutationErrorRef = builder.objectRef<Refusal>('MutationError').implement({
  description: 'The reason why a mutation was refused. The mutation changed nothing.',
  fields: (t) => ({
    code: t.expose('code', { type: MutationErrorCodeRef, description: 'The reason, for programs.' }),
    message: t.exposeString('message', { description: 'The problem and how to solve it, as text for people.' }),
    fields: t.expose('fields', {
      type: [FieldErrorRef],
      description: 'The input values that were refused, at most 21. Empty when no single value is at fault.',
    }),
    retryAfterSeconds: t.exposeInt('retryAfterSeconds', {
      nullable: true,
      description: 'The number of seconds until a retry can succeed. Null when a retry does not help.',
    }),
  }),
})

/**
 * The interface of every mutation's result: its own fields on success, or an `error` and null in all of them. Payload
 * types declare their fields as they are on success: `withMutationErrors` makes them nullable, and says so.
 */
export const MutationPayload = builder.simpleInterface('MutationPayload', {
  description: 'The result of a mutation. If it was refused, `error` is set and every other field is null.',
  fields: (t) => ({
    error: t.field({
      type: MutationErrorRef,
      nullable: true,
      description: 'The reason why the mutation was refused. Null on success.',
    }),
  }),
})

const RETURNED: ReadonlySet<ErrorCode> = new Set(Object.values(MUTATION_ERROR_CODES).map(({ value }) => value))

function isReturned(code: ErrorCode): code is MutationErrorCode {
  return RETURNED.has(code)
}

/** @returns null for an error that mutations do not return in their payload */
export function refusalOf(error: unknown): Refusal | null {
  if (!(error instanceof DomainError) || !isReturned(error.code)) return null
  const { code, message } = error
  const fields = error instanceof ValidationError || error instanceof ConflictError ? error.fields : []
  const isTemporary = error instanceof LoopDetectedError || error instanceof RateLimitedError
  return {
    code,
    message,
    fields: fields.map(shownFieldError),
    retryAfterSeconds: isTemporary ? error.retryAfterSeconds : null,
  }
}

/** Makes every mutation of a schema return an expected failure as the `error` of its payload, and null in its other fields. */
export function withMutationErrors(schema: GraphQLSchema): GraphQLSchema {
  const payloads = schema.getImplementations(assertInterfaceType(schema.getType(MutationPayload.name))).objects
  for (const payload of payloads) {
    for (const field of Object.values(payload.getFields())) {
      if (!isNonNullType(field.type)) continue
      field.type = field.type.ofType
      field.description = `${field.description} Null when the mutation was refused.`
    }
  }
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const resolve = field.resolve ?? defaultFieldResolver
    field.resolve = async (...args) => {
      try {
        return await resolve(...args)
      } catch (thrown) {
        const error = refusalOf(thrown)
        if (error === null) throw thrown
        const { onRefused }: Pick<Context, 'onRefused'> = args[2]
        onRefused?.(error.code)
        return { error }
      }
    }
  }
  return schema
}
