import { readFileSync } from 'node:fs'
import { GraphQLError } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { z } from 'zod'
import { ConfigError } from '../infra/config.ts'
import { sha256 } from '../infra/secrets.ts'
import { requestFault } from './limits.ts'

/** Documents by the SHA-256 of their text, in lower-case hexadecimal. */
export type Manifest = ReadonlyMap<string, string>

const Texts = z.record(z.string(), z.string())

/**
 * Reads the file that GRAPHQL_DOCUMENTS names: a JSON object from SHA-256 to text.
 * @throws ConfigError when the file is missing, or a text does not match its hash
 */
export function readManifest(path: string): Manifest {
  const fault = (what: string) => new ConfigError(`The configuration is invalid:\n  GRAPHQL_DOCUMENTS: ${path} ${what}`)
  let json: unknown
  try {
    json = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw fault(`cannot be read as JSON (${error instanceof Error ? error.message : error})`)
  }
  const parsed = Texts.safeParse(json)
  if (!parsed.success) throw fault('must be an object that maps SHA-256 hashes to documents')
  const manifest = new Map(Object.entries(parsed.data).map(([id, text]) => [hexOf(id), text]))
  if (manifest.size === 0) throw fault('has no documents: add at least one')
  for (const [id, text] of manifest)
    if (sha256(text) !== id) throw fault(`has a document whose SHA-256 is not its key ${id}`)
  return manifest
}

/** The parameters of an operation, on any transport. */
interface DocumentRequest {
  readonly query?: unknown
  readonly extensions?: unknown
  readonly operationName?: unknown
}

/** The documents that a server runs. */
export interface KnownDocuments {
  /**
   * Finds a document by its id, regardless of the text in the request.
   * @returns undefined when the document is not allowed
   */
  find<Params extends DocumentRequest>(params: Params): Params | undefined
  /** @throws GraphQLError with the reason, if `find` returns undefined */
  resolve<Params extends DocumentRequest>(params: Params): Params
  readonly plugin: Plugin
}

/** Without a manifest, all documents run. */
export const ANY_DOCUMENT: KnownDocuments = knownDocuments(
  (params) => (isHashAlone(params) ? undefined : params),
  () => persistedQueryFault('NOT_SUPPORTED'),
)

/** Only the documents of the manifest run, on every transport. */
export function trustedDocuments(manifest: Manifest): KnownDocuments {
  const texts = new Set(manifest.values())
  const { find, resolve, plugin } = knownDocuments(
    (params) => {
      const query = manifest.get(idOf(params) ?? '')
      return query === undefined ? undefined : { ...params, query }
    },
    // Not PERSISTED_QUERY_NOT_SUPPORTED: clients would stop sending hashes, which the manifest requires.
    (params) => (isHashAlone(params) ? persistedQueryFault('NOT_FOUND') : untrusted()),
  )
  return {
    find,
    resolve,
    plugin: {
      ...plugin,
      // The last check, before the text is parsed, for every transport.
      onParse({ params: { source } }) {
        if (!texts.has(String(source))) throw untrusted()
      },
    },
  }
}

function knownDocuments(
  lookUp: <Params extends DocumentRequest>(params: Params) => Params | undefined,
  refusal: (params: DocumentRequest) => Error,
): KnownDocuments {
  const find: KnownDocuments['find'] = (params) => {
    const found = lookUp(params)
    // Clients send this for an operation without a name.
    return found?.operationName === '' ? { ...found, operationName: undefined } : found
  }
  const resolve: KnownDocuments['resolve'] = (params) => {
    const found = find(params)
    if (found === undefined) throw refusal(params)
    return found
  }
  return { find, resolve, plugin: { onParams: ({ params, setParams }) => setParams(resolve(params)) } }
}

const PersistedQuery = z.object({ persistedQuery: z.object({ sha256Hash: z.string() }) })
const DocumentId = z.object({ documentId: z.string() })

/** A hash without the prefix that names its algorithm. */
const hexOf = (id: string) => id.replace(/^sha256:/, '')

/** `documentId`, or the hash that clients of Apollo's protocol send. */
function idOf(params: DocumentRequest): string | undefined {
  const { data: byId } = DocumentId.safeParse(params)
  if (byId !== undefined) return hexOf(byId.documentId)
  return PersistedQuery.safeParse(params.extensions).data?.persistedQuery.sha256Hash
}

/**
 * The first request of automatic persisted queries (Apollo's protocol), without the text, which the client sends after
 * this error.
 */
function isHashAlone(params: DocumentRequest): boolean {
  return !params?.query && PersistedQuery.safeParse(params?.extensions).success
}

/** Clients of that protocol recognize this message. It has the status 200, and must not be cached. */
function persistedQueryFault(what: 'NOT_SUPPORTED' | 'NOT_FOUND'): Error {
  const message = what === 'NOT_FOUND' ? 'PersistedQueryNotFound' : 'PersistedQueryNotSupported'
  const http = { status: 200, headers: { 'Cache-Control': 'private, no-cache, must-revalidate' } }
  return new GraphQLError(message, { extensions: { code: `PERSISTED_QUERY_${what}`, http } })
}

function untrusted(): Error {
  const message =
    'This server runs only trusted documents: send the SHA-256 hash of one as documentId or extensions.persistedQuery.sha256Hash'
  return requestFault(message, 400, 'untrusted_document')
}
