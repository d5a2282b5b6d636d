import {
  ConflictError,
  type DomainError,
  type FieldError,
  ForbiddenError,
  LoopDetectedError,
  NotFoundError,
  RateLimitedError,
  ValidationError,
} from '../domain/shared/errors.ts'
import { builder } from './builder.ts'

const ErrorInterface = builder.interfaceRef<DomainError>('Error').implement({
  description: 'An expected failure.',
  fields: (t) => ({
    code: t.string({ description: 'For programs: the same codes as in the REST API.', resolve: (error) => error.code }),
    message: t.exposeString('message', { description: 'For people: what is wrong and what to do.' }),
  }),
})

const FieldErrorRef = builder.objectRef<FieldError>('FieldError').implement({
  description: 'One input value that cannot be accepted.',
  fields: (t) => ({
    path: t.exposeString('path', { description: 'Where it stands in the input, in dots; empty for the whole input.' }),
    message: t.exposeString('message', { description: 'What would be right.' }),
  }),
})

builder.objectType(ValidationError, {
  name: 'ValidationError',
  description: 'The input cannot be accepted.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    fields: t.field({ type: [FieldErrorRef], description: 'Every bad value.', resolve: (error) => [...error.fields] }),
  }),
})
builder.objectType(NotFoundError, {
  name: 'NotFoundError',
  description: 'There is no such object, or none that you may see.',
  interfaces: [ErrorInterface],
})
builder.objectType(ForbiddenError, {
  name: 'ForbiddenError',
  description: 'Your permission is too low.',
  interfaces: [ErrorInterface],
})
builder.objectType(ConflictError, {
  name: 'ConflictError',
  description: "It contradicts the object's present state.",
  interfaces: [ErrorInterface],
})
builder.objectType(LoopDetectedError, {
  name: 'LoopDetectedError',
  description: 'A bot answers itself.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    retryAfterSeconds: t.exposeInt('retryAfterSeconds', {
      description: 'When it may be tried again; at once when the visitor has written.',
    }),
  }),
})

builder.objectType(RateLimitedError, {
  name: 'RateLimitedError',
  description: 'It was tried too often.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    retryAfterSeconds: t.exposeInt('retryAfterSeconds', { description: 'When it may be tried again.' }),
  }),
})

/** Every mutation's expected failures; adding one later is not a breaking change for clients that ask for `... on Error`. */
export const mutationErrors: { types: (new (...args: never[]) => DomainError)[]; directResult: true } = {
  types: [ValidationError, NotFoundError, ForbiddenError, ConflictError, LoopDetectedError],
  directResult: true,
}

/** Those of a mutation that takes a secret, which must not be guessed. */
export const guardedErrors: typeof mutationErrors = {
  ...mutationErrors,
  types: [...mutationErrors.types, RateLimitedError],
}
