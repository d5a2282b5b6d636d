import { readFileSync } from 'node:fs'
import { GraphQLError } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { z } from 'zod'
import { ConfigError } from '../infra/config.ts'
import { sha256 } from '../infra/secrets.ts'
import { requestFault } from './limits.ts'

/** Documents by the SHA-256 of their text, in lower-case hex. */
export type Manifest = ReadonlyMap<string, string>

const Texts = z.record(z.string(), z.string())

/**
 * Reads the file that GRAPHQL_DOCUMENTS names: a JSON object from SHA-256 to text.
 * @throws ConfigError when there is none, or when a text is not the one that its hash stands for
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
  const manifest = new Map(Object.entries(parsed.data))
  if (manifest.size === 0) throw fault('has no documents: add at least one')
  for (const [id, text] of manifest)
    if (sha256(text) !== id) throw fault(`has a document whose SHA-256 is not its key ${id}`)
  return manifest
}

/** Of an operation's request, over whichever transport. */
interface DocumentRequest {
  readonly query?: unknown
  readonly extensions?: unknown
  readonly operationName?: unknown
}

/** Which documents a server runs. */
export interface KnownDocuments {
  /**
   * What a request asks for by a document's id: the document, whatever text stands beside the id.
   * @returns undefined when that is not to be run
   */
  find<Params extends DocumentRequest>(params: Params): Params | undefined
  /** @throws GraphQLError that says why, where `find` has nothing */
  resolve<Params extends DocumentRequest>(params: Params): Params
  readonly plugin: Plugin
}

/** Without a manifest whatever text is sent runs. */
export const ANY_DOCUMENT: KnownDocuments = knownDocuments(
  (params) => (isHashAlone(params) ? undefined : params),
  () => persistedQueryFault('NOT_SUPPORTED'),
)

/** Only the manifest's documents run, over every transport. */
export function trustedDocuments(manifest: Manifest): KnownDocuments {
  const texts = new Set(manifest.values())
  const { find, resolve, plugin } = knownDocuments(
    (params) => {
      const query = manifest.get(idOf(params) ?? '')
      return query === undefined ? undefined : { ...params, query }
    },
    // Not "not supported": clients would stop sending hashes, and those of the manifest are needed.
    (params) => (isHashAlone(params) ? persistedQueryFault('NOT_FOUND') : untrusted()),
  )
  return {
    find,
    resolve,
    plugin: {
      ...plugin,
      // The last wall: whichever way a text has come, this is before it is read.
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
    // What clients send for an operation without a name.
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

/** `documentId`, or what clients of Apollo's protocol send. The former may be prefixed with the name of the hash. */
function idOf(params: DocumentRequest): string | undefined {
  const { data: byId } = DocumentId.safeParse(params)
  if (byId !== undefined) return byId.documentId.replace(/^sha256:/, '')
  return PersistedQuery.safeParse(params.extensions).data?.persistedQuery.sha256Hash
}

/** How clients of automatic persisted queries (Apollo's protocol) begin: the text comes when the answer asks for it. */
function isHashAlone(params: DocumentRequest): boolean {
  return !params?.query && PersistedQuery.safeParse(params?.extensions).success
}

/** Clients of that protocol go by these words. It has status 200, and is not to be cached: the next answer differs. */
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
