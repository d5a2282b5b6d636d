import {
  type DocumentNode,
  type ExecutionArgs,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  NoSchemaIntrospectionCustomRule,
  validate,
} from 'graphql'
import { type GraphQLParams, handleStreamOrSingleExecutionResult, isAsyncIterable, type Plugin } from 'graphql-yoga'
import { checkJson, JsonError, parseJson } from '../infra/json.ts'
import { measure } from './cost.ts'
import { checkLimit, checkTokens, LIMITS, requestFault } from './limits.ts'

/** The time limit of a query or mutation. */
export const EXECUTION_TIMEOUT_MS = 30_000
/** The number of cached parsed documents. One of 2,000 tokens takes half a megabyte, and requires no key. */
const MAX_DOCUMENTS = 100

/** The limits on what an operation is measured by, in the order in which they are checked. */
const MEASURED = ['depth', 'introspectionDepth', 'aliases', 'rootFields', 'directives', 'complexity'] as const

/** Points of cost, by the context of an operation. */
const costs = new WeakMap<object, number>()

/** How often the rows of a connection can be repeated in the result, by the context of an operation. */
const repeated = new WeakMap<object, number>()

export function repeatsOf(context: object): number {
  return repeated.get(context) ?? 0
}

/** The contexts of subscriptions. */
const subscriptions = new WeakSet<object>()

export function isSubscription(context: object): boolean {
  return subscriptions.has(context)
}

/** The cost of a parsed operation, by its context; 0 for one that is not run. */
export function costOf(context: object): number {
  return costs.get(context) ?? 0
}

/**
 * Refuses operations over a limit when they are parsed, on every transport, and reports the cost of others in
 * `extensions.cost` of their results.
 */
export function limits(schema: GraphQLSchema): Plugin {
  return {
    onParse({ params: { source }, context }) {
      checkTokens(String(source))
      return ({ result }) => {
        if (result === null || result instanceof Error) return
        const document = result as DocumentNode
        const { operationName, variables } = context.params ?? {}
        const operation = getOperationAST(document, operationName)
        if (!operation) throw requestFault('Set operationName to the name of one of the operations in the document')
        const measured = measure(schema, document, operation, variables ?? {})
        for (const name of MEASURED) checkLimit(name, measured[name])
        costs.set(context, measured.complexity)
        repeated.set(context, measured.repeats)
        if (operation.operation === 'subscription') subscriptions.add(context)
      }
    },
    onExecute: ({ args }) => ({
      onExecuteDone({ result, setResult }) {
        const requested = costs.get(args.contextValue)
        if (isAsyncIterable(result) || requested === undefined) return
        const cost = { requested, max: LIMITS.complexity }
        setResult({ ...result, extensions: { ...result.extensions, cost } })
      },
    }),
  }
}

const NO_BYTES = new Uint8Array()

/** Refuses POST bodies that are not JSON, because pages of other origins can send them without a preflight. */
export function jsonOnly(): Plugin<{ body?: Uint8Array }, { body?: Uint8Array }> {
  return {
    onRequestParse({ request, requestParser, serverContext: { body = NO_BYTES }, setRequestParser }) {
      if (request.method === 'GET' && requestParser !== undefined) {
        setRequestParser(async (given) => {
          checkQuery(given.url)
          return parsing('variables and extensions', async () => requestParser(given))
        })
      }
      if (request.method !== 'POST') return
      const [type, ...parameters] = (request.headers.get('content-type') ?? '').toLowerCase().split(/ *; */)
      const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.replaceAll('"', '')
      const encoding = request.headers.get('content-encoding') ?? 'identity'
      if (type?.trim() !== 'application/json' || !/^charset=utf-?8$/.test(charset ?? 'charset=utf-8')) {
        throw requestFault('Send JSON in UTF-8, with Content-Type: application/json', 415, 'unsupported_media_type')
      }
      if (encoding !== 'identity') {
        throw requestFault('Send the body without Content-Encoding', 415, 'unsupported_media_type')
      }
      setRequestParser(async () => parsing('The body', async () => parseParams(body)))
    },
  }
}

async function parsing<T>(what: string, parse: () => Promise<T>): Promise<T> {
  try {
    return await parse()
  } catch (error) {
    throw requestFault(error instanceof JsonError ? `${what} ${error.message}` : `${what} must be valid JSON in UTF-8`)
  }
}

/** Yoga checks the members. @throws JsonError */
function parseParams(bytes: Uint8Array): GraphQLParams {
  return parseJson(bytes) as GraphQLParams
}

/** Checks the JSON in a GET's URL before it is parsed. @throws GraphQLError bad_request */
function checkQuery(url: string): void {
  const { searchParams } = new URL(url)
  for (const name of ['variables', 'extensions']) {
    try {
      checkJson(Buffer.from(searchParams.get(name) ?? ''))
    } catch (error) {
      throw requestFault(`${name} ${error instanceof Error ? error.message : ''}`)
    }
  }
}

/** Hides the schema: no introspection, and no "Did you mean" in messages. */
export function hideSchema({ introspection, suggestions }: { introspection: boolean; suggestions: boolean }): Plugin {
  return {
    onValidate({ addValidationRule, setValidationFn }) {
      if (!introspection) addValidationRule(NoSchemaIntrospectionCustomRule)
      const quiet: typeof validate = (schema, document, rules, _options, typeInfo) =>
        validate(schema, document, rules, { hideSuggestions: true }, typeInfo)
      if (!suggestions) setValidationFn(quiet)
    },
    onExecute: () => ({ onExecuteDone: ({ result }) => void (suggestions || cutSuggestions(result)) }),
    onSubscribe: () => ({ onSubscribeResult: ({ result }) => void (suggestions || cutSuggestions(result)) }),
  }
}

/** Errors of variables, which occur after validation and before any resolver, and so have no path. */
function cutSuggestions(result: object): void {
  if (!('errors' in result) || !Array.isArray(result.errors)) return
  for (const error of result.errors as GraphQLError[]) {
    if (error.path === undefined) error.message = error.message.replace(/ Did you mean .*\?$/s, '')
  }
}

/**
 * Ends queries and mutations that exceed the time limit with the error code `timeout` (HTTP 503). Running resolvers
 * continue in the background; no further resolver starts, and `info.signal` is aborted.
 */
export function executionTimeout(ms = EXECUTION_TIMEOUT_MS): Plugin {
  return {
    onExecute({ executeFn, setExecuteFn }) {
      setExecuteFn(async (args: ExecutionArgs) => {
        const controller = new AbortController()
        let timer: NodeJS.Timeout | undefined
        const late = new Promise<never>((_, reject) => {
          timer = setTimeout(() => {
            const error = timeoutError(ms)
            reject(error)
            controller.abort(error)
          }, ms)
        })
        try {
          // Yoga's executor knows `signal`; its types do not.
          return await Promise.race([executeFn(Object.assign({ ...args }, { signal: controller.signal })), late])
        } catch (error) {
          // An exception would close a WebSocket, with all other operations on it.
          return { errors: [error] }
        } finally {
          clearTimeout(timer)
        }
      })
    },
  }
}

function timeoutError(ms: number): GraphQLError {
  const message = `The operation took longer than ${ms / 1000} s and was stopped. Changes of a mutation may still take effect.`
  return requestFault(message, 503, 'timeout')
}

/**
 * Masks the errors of results, with the id of the request. Yoga's own masking, which lacks the id, comes after this one
 * and sees errors thrown elsewhere.
 */
export function maskedErrors(mask: (error: unknown, requestId: string) => GraphQLError): Plugin<{ requestId: string }> {
  type Handler = Parameters<typeof handleStreamOrSingleExecutionResult<{ requestId: string }>>[1]
  const maskAll: Handler = ({ args, result, setResult }) => {
    const { requestId } = args.contextValue
    if (result.errors === undefined) return
    setResult({ ...result, errors: result.errors.map((error) => mask(error, requestId)) })
  }
  return {
    onExecute: () => ({ onExecuteDone: (payload) => handleStreamOrSingleExecutionResult(payload, maskAll) }),
    onSubscribe: ({ args }) => ({
      onSubscribeResult: (payload) => handleStreamOrSingleExecutionResult(payload, maskAll),
      onSubscribeError({ error, setError }) {
        // An abandoned subscription ends with this error, which Yoga expects unchanged.
        if (error instanceof DOMException) return
        setError(mask(error, args.contextValue.requestId))
      },
    }),
  }
}

interface Cache<T> {
  get(text: string): T | undefined
  set(text: string, value: T): void
}

/** A cache of Yoga by the text of a document: limited in size, and without errors, which are quickly found again. */
export function documentCaches(): { documentCache: Cache<DocumentNode>; errorCache: Cache<Error> } {
  const documents = new Map<string, DocumentNode>()
  const documentCache: Cache<DocumentNode> = {
    get(text) {
      const found = documents.get(text)
      if (found === undefined) return undefined
      // Used again: moves to the end of the queue.
      documents.delete(text)
      documents.set(text, found)
      return found
    },
    set(text, document) {
      documents.set(text, document)
      const [oldest] = documents.keys()
      if (documents.size > MAX_DOCUMENTS && oldest !== undefined) documents.delete(oldest)
    },
  }
  return { documentCache, errorCache: { get: () => undefined, set: () => undefined } }
}
