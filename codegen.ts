/**
 * Writes what follows from the code:
 *
 * - schema.graphql: the API, sorted. It is committed, so that a change of the API is a difference in review.
 * - schema.cache.json: what the normalised caches of clients ask of a schema. It is committed, so that clients can take it.
 * - Types of the GraphQL documents in graphql(`…`) calls, for the tests and for the dashboard. They follow from committed
 *   files alone and are not committed.
 * - dashboard/documents.json: the dashboard's documents by their hashes, for servers that run no others. It is committed, so
 *   that what the dashboard asks for is a difference in review.
 *
 * `npm run generate:sdl` writes all. With --documents the types only: by the committed schema.graphql, without loading
 * the server. With --check nothing is written, and it fails when a file is not what it would write.
 */
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { plugin as typesOf } from '@graphql-codegen/typescript-operations'
import {
  type ASTNode,
  buildSchema,
  type DefinitionNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  isAbstractType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  Source,
  specifiedRules,
  stripIgnoredCharacters,
  validate,
  visit,
} from 'graphql'

/** Folders, each with the module of its documents' types. */
const TYPES = {
  test: 'test/generated/documents.ts',
  'dashboard/src': 'dashboard/src/generated/documents.ts',
}
/** What scalars are in JSON; `strictScalars` asks for each that the API adds. */
const SCALARS = { ID: 'string', DateTime: 'string', JSONObject: 'unknown', URL: 'string' }
/** With an id that other objects share: the same unavailable actor may have another name with each thing that it did. */
const VARYING: ReadonlySet<string> = new Set(['UnavailableActor'])
/** Generated modules, packages, and documents for other people's tools. */
const NOT_OURS = ['**/generated', '**/node_modules', 'test/clients/**']
/** A call with one literal; a method of the same name takes any text. */
const CALL = /(?<![.\w$])graphql\(\s*`([^`]*)`/g

/** What the dashboard's cache asks of every object besides. */
const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } }

/** A document in a call: one operation with its fragments, or fragments only. */
interface Found {
  readonly text: string
  readonly place: string
  readonly document: DocumentNode
}

const { values: options } = parseArgs({ options: { check: { type: 'boolean' }, documents: { type: 'boolean' } } })
process.chdir(import.meta.dirname)
const files = new Map<string, string>()
const sdl = options.documents ? readFileSync('schema.graphql', 'utf8') : await sdlOfCode()
files.set('schema.graphql', sdl)
// As a client sees it: the code's own enums have other values inside.
const schema = buildSchema(sdl)
files.set('schema.cache.json', `${JSON.stringify(cacheFactsOf(schema), null, 2)}\n`)
for (const [folder, path] of Object.entries(TYPES)) {
  const found = documentsIn(folder)
  files.set(path, await moduleOf(schema, found))
  // Not before each type check: what is committed must be seen to be stale.
  if (folder === 'dashboard/src' && !options.documents) files.set('dashboard/documents.json', manifestOf(found))
}
const stale = [...files].filter(([path, text]) => !existsSync(path) || readFileSync(path, 'utf8') !== text)
if (options.check && stale.length > 0) {
  const paths = stale.map(([path]) => path).join(' and ')
  fail(`Not what the code says: ${paths}. Run "npm run generate" and read the difference.`)
}
for (const [path, text] of stale) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}

async function sdlOfCode(): Promise<string> {
  const { schema } = await import('./src/resolvers/index.ts')
  const { schemaText } = await import('./src/graphql/schema-text.ts')
  const advice = 'Written by codegen.ts: change src/schema and src/resolvers, then run npm run generate.'
  return `# The GraphQL API, sorted. ${advice}\n\n${schemaText(schema)}`
}

/**
 * - `keyless`: objects without an id of their own, which a cache keeps within the object that has them.
 * - `possibleTypes`: the objects that an interface or a union stands for, by its name.
 */
function cacheFactsOf(schema: GraphQLSchema): { keyless: string[]; possibleTypes: Record<string, string[]> } {
  const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'))
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
  const keyless = types
    .filter(isObjectType)
    .filter((type) => !roots.includes(type) && (VARYING.has(type.name) || !('id' in type.getFields())))
    .map(({ name }) => name)
  const possibleTypes = types
    .filter(isAbstractType)
    .map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)])
  return { keyless, possibleTypes: Object.fromEntries(possibleTypes) }
}

/** Every distinct document under a folder. Each is one literal, since its types are found by it. */
function documentsIn(folder: string): Found[] {
  const found = new Map<string, Found>()
  for (const path of globSync(`${folder}/**/*.{ts,tsx}`, { exclude: NOT_OURS }).sort()) {
    const code = readFileSync(path, 'utf8')
    for (const { 1: text = '', index } of code.matchAll(CALL)) {
      const place = `${path}:${code.slice(0, index).split('\n').length}`
      if (/\$\{|\\/.test(text)) fail(`${place}: a document in graphql(\`…\`) takes no \${…} and no backslash`)
      if (found.has(text)) continue
      const parsed = parse(new Source(text, place))
      const definitions = parsed.definitions.map((definition) => withName(definition, found.size))
      found.set(text, { text, place, document: { ...parsed, definitions } })
    }
  }
  return [...found.values()]
}

/** Types are found by names, so that an operation without one gets one. */
function withName(definition: DefinitionNode, number: number): DefinitionNode {
  if (definition.kind !== Kind.OPERATION_DEFINITION || definition.name !== undefined) return definition
  return { ...definition, name: { kind: Kind.NAME, value: `Unnamed${number}` } }
}

/** A module with the types of each document's result and variables, to be found by its text. */
async function moduleOf(schema: GraphQLSchema, found: readonly Found[]): Promise<string> {
  checkDocuments(schema, found)
  const config = { namingConvention: 'keep', immutableTypes: true, scalars: SCALARS, strictScalars: true }
  const written = await typesOf(schema, [...found], config, { outputFile: '' })
  const { prepend = [], content } = typeof written === 'string' ? { content: written } : written
  const head = '// The types of documents in graphql(`…`) calls. Written by codegen.ts; not committed.'
  const entries = found.map(({ text, document }) => `  ${JSON.stringify(text)}: ${entryOf(document)}`)
  return [head, ...prepend, content, '/** By text. */', 'export interface Documents {', ...entries, '}\n'].join('\n')
}

/** Each is valid, and each name is given once. */
function checkDocuments(schema: GraphQLSchema, found: readonly Found[]): void {
  const named = new Map<string, Found>()
  const fragments: DefinitionNode[] = []
  for (const each of found) {
    for (const definition of each.document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.push(definition)
      const name = 'name' in definition ? `${definition.kind} ${definition.name?.value}` : ''
      const other = named.get(name)
      if (other !== undefined) fail(`${each.place}: this name is taken: ${name} (${other.place})`)
      named.set(name, each)
    }
  }
  // Fragments are there for the other documents to spread.
  const rules = specifiedRules.filter(({ name }) => name !== 'NoUnusedFragmentsRule')
  for (const { document, place } of found) {
    const others = fragments.filter((fragment) => !document.definitions.includes(fragment))
    const [error] = validate(schema, { ...document, definitions: [...document.definitions, ...others] }, rules)
    if (error !== undefined) fail(`${place}: ${error.message}`)
  }
}

/** The names that the types of a document's result and variables have. */
function entryOf({ definitions }: DocumentNode): string {
  for (const definition of definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue
    const type = `${definition.name?.value}${definition.operation.replace(/^./, (letter) => letter.toUpperCase())}`
    return `{ result: ${type}; variables: ${type}Variables }`
  }
  const [fragment] = definitions
  return `{ result: ${fragment !== undefined && 'name' in fragment ? fragment.name?.value : 'never'}Fragment; variables: never }`
}

/** The operations, each with the fragments that it needs and `__typename` where a cache wants it, by their SHA-256. */
function manifestOf(found: readonly Found[]): string {
  const definitions = found.flatMap(({ document }) => document.definitions)
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  }
  const unnamed = found.find(({ text }) => /^\s*(?:\{|(?:query|mutation|subscription)\s*[({])/.test(text))
  if (unnamed !== undefined) fail(`${unnamed.place}: an operation of the dashboard needs a name`)
  const texts = definitions
    .filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
    .map((operation) => stripIgnoredCharacters(print(withTypenames(withFragments(operation, fragments)))))
  const entries = texts.sort().map((text) => [createHash('sha256').update(text).digest('hex'), text] as const)
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`
}

function withFragments(
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): DocumentNode {
  const needed = new Set<FragmentDefinitionNode>()
  const look = (node: ASTNode) =>
    visit(node, {
      FragmentSpread({ name }) {
        const fragment = fragments.get(name.value)
        if (fragment === undefined || needed.has(fragment)) return
        needed.add(fragment)
        look(fragment)
      },
    })
  look(operation)
  return { kind: Kind.DOCUMENT, definitions: [operation, ...needed] }
}

function withTypenames(document: DocumentNode): DocumentNode {
  return visit(document, {
    SelectionSet(set, _key, parent) {
      const isRoot = parent !== undefined && 'kind' in parent && parent.kind === Kind.OPERATION_DEFINITION
      const has = set.selections.some((node) => node.kind === Kind.FIELD && node.name.value === '__typename')
      return isRoot || has ? undefined : { ...set, selections: [...set.selections, TYPENAME] }
    },
  })
}
