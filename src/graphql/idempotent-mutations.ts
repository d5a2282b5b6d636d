import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type Source,
} from 'graphql'
import { type GraphQLParams, isAsyncIterable, type Plugin } from 'graphql-yoga'
import { type Rights, requireRights, rightsOf } from '../domain/shared/authorization.ts'
import type { Deps } from '../domain/shared/deps.ts'
import { DomainError, type ErrorCode } from '../domain/shared/errors.ts'
import {
  fingerprintOf,
  requireIdempotencyKey,
  runIdempotently,
  type StoredResponse,
} from '../domain/shared/idempotency.ts'
import { STATUS } from '../http/error-body.ts'
import type { Context } from '../schema/context.ts'
import { createLoaders } from '../schema/loaders.ts'
import { rootSelections } from './cost.ts'
import { requestFault } from './limits.ts'
import type { Incoming } from './websocket.ts'

/** An operation's context, with the request that it was made from. */
type Operation = Context & Incoming & { readonly params: GraphQLParams }

/** What the client may see of an error. */
type Mask = (error: unknown, requestId: string) => GraphQLError

type Execute = (args: ExecutionArgs) => unknown

/** Refusals that say something about the request itself. Invalid input is corrected, and the others, such as limits, may end. */
const LASTING: ReadonlySet<ErrorCode> = new Set(['not_found', 'conflict'])

/** Errors of single fields that belong to the answer. Any other, such as a time-out or a fault of ours, undoes the change. */
const SETTLED: ReadonlySet<unknown> = new Set<ErrorCode>(['bad_request', 'forbidden', 'not_found', 'conflict'])

/**
 * Runs a mutation once that carries a key: the header `Idempotency-Key`, or `extensions.idempotencyKey`. Its whole answer,
 * with all that its selection reads, is made and stored in the transaction of its change. Queries and subscriptions ignore
 * keys. Must be the last plugin: what the others make of `executeFn` happens within the transaction.
 */
export function idempotentMutations(mask: Mask): Plugin<Operation> {
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const operation = getOperationAST(args.document, args.operationName)
      if (operation?.operation !== OperationTypeNode.MUTATION || givenKey(args.contextValue) === null) return
      const { requestId } = args.contextValue
      setExecuteFn((given: ExecutionArgs) =>
        runOnce(given, args.contextValue, operation, executeFn, mask).catch((error: unknown) => ({
          errors: [error instanceof DomainError ? withStatus(mask(error, requestId), error.code) : error],
        })),
      )
    },
  }
}

interface GivenKey {
  readonly value: unknown
  /** Where it was found, as paths of invalid values are written. */
  readonly path: string
}

function givenKey({ req, setHeaders, params }: Operation): GivenKey | null {
  // The headers of a WebSocket are those of all of its operations.
  const header = setHeaders === undefined ? undefined : req.headers['idempotency-key']
  if (header !== undefined) return { value: header, path: 'Idempotency-Key' }
  const value = params.extensions?.['idempotencyKey']
  return value == null ? null : { value, path: 'extensions.idempotencyKey' }
}

async function runOnce(
  args: ExecutionArgs,
  context: Operation,
  operation: OperationDefinitionNode,
  execute: Execute,
  mask: Mask,
): Promise<unknown> {
  const given = givenKey(context)
  const key = requireIdempotencyKey(given?.value, given?.path ?? '')
  const fields = rootFieldsOf(args.document, operation)
  const [field] = fields.values()
  if (field === undefined || fields.size !== 1) {
    throw requestFault(
      `A mutation with an Idempotency-Key must have exactly one field; this one has ${fields.size}: send one request for each`,
    )
  }
  const fingerprint = requestFingerprint(context)
  const isForAnybody = args.schema.getMutationType()?.getFields()[field]?.extensions['isForAnybody'] === true
  const owner = whoIs(context.caller)?.credentialId ?? (isForAnybody ? `anonymous:${fingerprint}` : null)
  // Whoever may not do this is told so.
  if (owner === null) return execute(args)
  const rights = rightsOf(whoIs(context.caller), whoIs(context.actor))
  const work = (deps: Deps) => executeWithin(args, context, { deps, rights, execute, mask })
  const refusal = (error: unknown) => (error instanceof Undone && rights.caller !== null ? error.answer : null)
  try {
    const answer = await runIdempotently(context.deps, { owner, key, fingerprint }, { work, refusal })
    const stored: StoredResult = JSON.parse(answer.body)
    const result = revived(stored, args.document.loc?.source)
    if (!answer.isRepeated) return result
    requireRights(stored.rights, context)
    if (context.setHeaders === undefined) return { ...result, extensions: { idempotencyReplayed: true } }
    context.setHeaders({ 'Idempotency-Replayed': 'true' })
    return result
  } catch (error) {
    if (error instanceof Undone) return error.result
    throw error
  }
}

/** An answer, and what its caller was allowed to do: whoever may do less by now does not see it. */
interface StoredResult {
  readonly rights: Rights
  readonly data: Record<string, unknown>
  readonly errors?: readonly StoredError[]
}

/** An error of a field. Its places in the document are made of positions, as the document is the same. */
interface StoredError {
  readonly message: string
  readonly path: readonly (string | number)[] | null
  readonly positions: readonly number[] | null
  readonly extensions: Record<string, unknown>
}

/** The way in which a mutation ends that leaves nothing behind. */
class Undone extends Error {
  override name = 'Undone'
  readonly result: ExecutionResult
  /** What whoever repeats the request gets; null: it runs again. */
  readonly answer: StoredResponse | null

  constructor(result: ExecutionResult, answer: StoredResponse | null) {
    super('The mutation changed nothing')
    this.result = result
    this.answer = answer
  }
}

interface Execution {
  /** With the held transaction's database. */
  readonly deps: Deps
  readonly rights: Rights
  readonly execute: Execute
  readonly mask: Mask
}

/** @throws Undone when the change must not be committed */
async function executeWithin(
  args: ExecutionArgs,
  context: Operation,
  { deps, rights, execute, mask }: Execution,
): Promise<StoredResponse> {
  const refusals: ErrorCode[] = []
  const within: Operation = {
    ...context,
    deps,
    loaders: createLoaders(deps, context.actor, context.caller),
    onRefused: (code) => void refusals.push(code),
  }
  const raw = await execute({ ...args, contextValue: within })
  if (!isResult(raw)) throw new Error('A mutation has one result')
  const errors = raw.errors?.map((error) => mask(error, context.requestId))
  const result: ExecutionResult = errors === undefined ? raw : { ...raw, errors }
  // Nothing of a change that is undone may be told as if it were there.
  const isSettled = errors?.every(({ extensions }) => SETTLED.has(extensions['code'])) ?? true
  const { data } = result
  if (data == null || !isSettled) throw new Undone(data == null ? result : { ...result, data: null }, null)
  const stored: StoredResult = { rights, data, ...(errors && { errors: errors.map(storedError) }) }
  const answer = { status: 200, body: JSON.stringify(stored) }
  const [refusal] = refusals
  if (refusal !== undefined) throw new Undone(result, LASTING.has(refusal) ? answer : null)
  return answer
}

function isResult(value: unknown): value is ExecutionResult {
  return typeof value === 'object' && value !== null && !isAsyncIterable(value)
}

function storedError({ message, path, positions, extensions }: GraphQLError): StoredError {
  return { message, path: path ?? null, positions: positions ?? null, extensions }
}

/** A stored result as the executor's own: with errors that plugins and transports take for GraphQL's. */
function revived({ data, errors }: StoredResult, source: Source | undefined): ExecutionResult {
  if (errors === undefined) return { data }
  return { errors: errors.map(({ message, ...rest }) => new GraphQLError(message, { ...rest, source })), data }
}

/** The same key must come with the same operation for the same workspace. Blanks in the JSON make no other one. */
function requestFingerprint({ req, params }: Operation): string {
  const { query, operationName = null, variables = null } = params
  const parts = [req.headers['x-workspace-id'] ?? null, operationName, query, variables ?? {}]
  return fingerprintOf(`graphql\n${JSON.stringify(parts)}`)
}

/** Who a context says that somebody is; null: it says why nobody is. */
function whoIs<Who>(who: () => Who): Who | null {
  try {
    return who()
  } catch {
    return null
  }
}

/** The fields of an operation itself, fragments spread and whatever @skip and @include say: names by those in the answer. */
function rootFieldsOf(document: DocumentNode, operation: OperationDefinitionNode): Map<string, string> {
  const found = new Map<string, string>()
  for (const selection of rootSelections(document, operation)) {
    if (selection.kind !== Kind.FIELD || selection.name.value === '__typename') continue
    found.set(selection.alias?.value ?? selection.name.value, selection.name.value)
  }
  return found
}

/** What REST answers with as a status, GraphQL does here, too: nothing was executed that `data` could tell of. */
function withStatus(error: GraphQLError, code: ErrorCode): GraphQLError {
  const http = { ...error.extensions.http, status: STATUS[code] }
  return new GraphQLError(error.message, { extensions: { ...error.extensions, http } })
}
