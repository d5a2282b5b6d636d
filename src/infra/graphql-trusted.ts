import { readFileSync } from 'node:fs'
import type { Plugin } from 'graphql-yoga'
import { z } from 'zod'
import { ConfigError } from './config.ts'
import { requestFault } from './graphql-limits.ts'
import { sha256 } from './secrets.ts'

/** Documents by the SHA-256 of their text, in lower-case hex. */
export type Manifest = ReadonlyMap<string, string>

const Texts = z.record(z.string(), z.string())

/**
 * Reads the file that GRAPHQL_DOCUMENTS names: a JSON object from SHA-256 to text.
 * @throws ConfigError when there is none, or when a text is not the one that its hash stands for
 */
export function readManifest(path: string): Manifest {
  const fault = (what: string) =>
    new ConfigError(`The configuration cannot work:\n  GRAPHQL_DOCUMENTS: ${path} ${what}`)
  let json: unknown
  try {
    json = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw fault(`cannot be read as JSON (${error instanceof Error ? error.message : error})`)
  }
  const parsed = Texts.safeParse(json)
  if (!parsed.success) throw fault('must be an object from SHA-256 to document')
  const manifest = new Map(Object.entries(parsed.data))
  if (manifest.size === 0) throw fault('has no document: nothing would be answered')
  for (const [id, text] of manifest) if (sha256(text) !== id) throw fault(`has a text that is not the one of ${id}`)
  return manifest
}

/** Of an operation's request, over whichever transport. */
interface Asked {
  readonly query?: unknown
  readonly extensions?: unknown
}

/** Which documents a server runs. */
export interface KnownDocuments {
  /**
   * What a request asks for by a document's id: the document, whatever text stands beside the id.
   * @returns undefined when that is not to be run
   */
  find<Params extends Asked>(params: Params): Params | undefined
  /** @throws GraphQLError untrusted_document where `find` has nothing */
  resolve<Params extends Asked>(params: Params): Params
  readonly plugin: Plugin
}

/** Without a manifest whatever is asked for runs. */
export const ANY_DOCUMENT: KnownDocuments = { find: (params) => params, resolve: (params) => params, plugin: {} }

/** Only the manifest's documents run, over every transport. */
export function trustedDocuments(manifest: Manifest): KnownDocuments {
  const texts = new Set(manifest.values())
  const find: KnownDocuments['find'] = (params) => {
    const query = manifest.get(idOf(params) ?? '')
    return query === undefined ? undefined : { ...params, query }
  }
  const resolve: KnownDocuments['resolve'] = (params) => {
    const found = find(params)
    if (found === undefined) throw untrusted()
    return found
  }
  return {
    find,
    resolve,
    plugin: {
      onParams: ({ params, setParams }) => setParams(resolve(params)),
      // The last wall: whichever way a text has come, this is before it is read.
      onParse({ params: { source } }) {
        if (!texts.has(String(source))) throw untrusted()
      },
    },
  }
}

const PersistedQuery = z.object({ persistedQuery: z.object({ sha256Hash: z.string() }) })
const DocumentId = z.object({ documentId: z.string() })

/** `documentId`, or what clients of Apollo's protocol send. The former may be prefixed with the name of the hash. */
function idOf(params: Asked): string | undefined {
  const { data: byId } = DocumentId.safeParse(params)
  if (byId !== undefined) return byId.documentId.replace(/^sha256:/, '')
  return PersistedQuery.safeParse(params.extensions).data?.persistedQuery.sha256Hash
}

function untrusted(): Error {
  const message =
    'This server runs only documents that it knows: send the SHA-256 of one as documentId or extensions.persistedQuery.sha256Hash'
  return requestFault(message, 400, 'untrusted_document')
}
