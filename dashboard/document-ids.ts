import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Kind, parse } from 'graphql'
import type { Plugin } from 'vite'

const NAME = 'virtual:document-ids'
const MANIFEST = join(import.meta.dirname, 'documents.json')

/**
 * The ids of the dashboard's documents by the names of their operations, as the module `virtual:document-ids`: by them it
 * asks a server that runs trusted documents only. The manifest is codegen.ts's.
 */
export function documentIds(): Plugin {
  return {
    name: 'document-ids',
    resolveId: (id) => (id === NAME ? `\0${NAME}` : null),
    load(id) {
      if (id !== `\0${NAME}`) return null
      this.addWatchFile(MANIFEST)
      return `export const documentIds = ${JSON.stringify(idsOf(readFileSync(MANIFEST, 'utf8')))}\n`
    },
  }
}

function idsOf(manifest: string): Record<string, string> {
  const texts: Record<string, string> = JSON.parse(manifest)
  const named = Object.entries(texts).flatMap(([id, text]) =>
    parse(text).definitions.flatMap((definition) =>
      definition.kind === Kind.OPERATION_DEFINITION ? [[definition.name?.value, id] as const] : [],
    ),
  )
  return Object.fromEntries(named)
}
