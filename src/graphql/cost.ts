import {
  __Schema,
  type ArgumentNode,
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionNode,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
  type ValueNode,
} from 'graphql'

/** The assumed length of a connection without `first` and `last`. */
const DEFAULT_PAGE = 25
/** The assumed length of a list without pages. */
const PLAIN_LIST = 10
/** What an object costs that is looked up or changed by its id in a list of ids, besides its fields. */
const LOOKUP = 10
/**
 * Introspection reads memory: this many of its values cost one point. The usual introspection query costs about 3,800.
 */
const INTROSPECTION_DISCOUNT = 260

/** `types` of `__schema`: the number of types. */
const SchemaTypes = __Schema.getFields()['types']

/** The size of an operation, with its fragments expanded, regardless of @skip and @include. */
export interface Measure {
  /** The estimated number of values in the response. */
  readonly complexity: number
  /** The depth of nested fields, without introspection. */
  readonly depth: number
  /** The depth below `__schema` and `__type`. */
  readonly introspectionDepth: number
  readonly aliases: number
  /** The maximum number of aliases of fields within one connection: each can repeat the rows. */
  readonly repeats: number
  /** Aliases outside of connections. */
  readonly plainAliases: number
  /** Whether `nodes` and `edges` of a connection are asked for, which show the same rows. */
  readonly nodes: boolean
  readonly edges: boolean
  readonly rootFields: number
  /** The maximum in one selection. */
  readonly directives: number
}

const NOTHING: Measure = {
  complexity: 0,
  depth: 0,
  introspectionDepth: 0,
  aliases: 0,
  repeats: 0,
  plainAliases: 0,
  nodes: false,
  edges: false,
  rootFields: 0,
  directives: 0,
}

/** Fragments that repeatedly double each other soon exceed what a JSON number represents exactly. */
const capped = (value: number) => Math.min(value, Number.MAX_SAFE_INTEGER)

function both(a: Measure, b: Measure): Measure {
  return {
    complexity: capped(a.complexity + b.complexity),
    depth: Math.max(a.depth, b.depth),
    introspectionDepth: Math.max(a.introspectionDepth, b.introspectionDepth),
    aliases: capped(a.aliases + b.aliases),
    repeats: Math.max(a.repeats, b.repeats),
    plainAliases: capped(a.plainAliases + b.plainAliases),
    nodes: a.nodes || b.nodes,
    edges: a.edges || b.edges,
    rootFields: capped(a.rootFields + b.rootFields),
    directives: Math.max(a.directives, b.directives),
  }
}

/**
 * Measures an operation of a document, which can be invalid: unknown fields count as scalars, unknown fragments as
 * empty. Each fragment is visited once, so the time grows with the document, and not with its expansion.
 */
export function measure(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): Measure {
  const fragments = fragmentsOf(document)
  const values = valuesOf(operation, variables)
  const measured = new Map<string, Measure>()

  /** @param count how many objects a mutation of many changes; only within its payload */
  function ofFragment(name: string, count?: number): Measure {
    const key = count === undefined ? name : `${name} ${count}`
    const known = measured.get(key)
    const fragment = fragments.get(name)
    if (known !== undefined || fragment === undefined) return known ?? NOTHING
    // Whoever spreads itself adds nothing here: validation refuses the cycle.
    measured.set(key, NOTHING)
    const inner = ofSet(fragment.selectionSet, schema.getType(fragment.typeCondition.name.value), count)
    const whole = both(inner, placed(fragment.directives))
    measured.set(key, whole)
    return whole
  }

  function ofSet(set: SelectionSetNode, parent: GraphQLNamedType | undefined, count?: number): Measure {
    return set.selections.reduce((sum, selection) => both(sum, ofSelection(selection, parent, count)), NOTHING)
  }

  function ofSelection(node: SelectionNode, parent: GraphQLNamedType | undefined, count?: number): Measure {
    const own = placed(node.directives)
    if (node.kind === Kind.FRAGMENT_SPREAD) return both(own, ofFragment(node.name.value, count))
    if (node.kind === Kind.FIELD) return both(own, ofField(node, parent, count))
    const type = node.typeCondition === undefined ? parent : schema.getType(node.typeCondition.name.value)
    return both(own, ofSet(node.selectionSet, type, count))
  }

  function timesOf(field: GraphQLField<unknown, unknown>, given: readonly ArgumentNode[], parent?: GraphQLNamedType) {
    if (field === SchemaTypes) return Object.keys(schema.getTypeMap()).length
    return lengthOf(field, given, parent, values)
  }

  function ofField(node: FieldNode, parent: GraphQLNamedType | undefined, count?: number): Measure {
    const field = fieldOf(node.name.value, parent)
    const given = node.arguments ?? []
    const changed = field !== undefined && parent === schema.getMutationType() ? changedBy(field, given, values) : 0
    const inner =
      node.selectionSet === undefined
        ? NOTHING
        : ofSet(node.selectionSet, field && getNamedType(field.type), changed > 0 ? changed : undefined)
    const isPaged = field !== undefined && isConnection(getNamedType(field.type))
    const isIntrospection = field === SchemaMetaFieldDef || field === TypeMetaFieldDef
    const isOfMany = count !== undefined && isListType(getNullableType(field?.type))
    const times = field === undefined ? 1 : isOfMany ? count : timesOf(field, given, parent)
    const isTwice = inner.nodes && inner.edges ? 1 : 0
    return {
      complexity: isIntrospection
        ? Math.ceil(inner.complexity / INTROSPECTION_DISCOUNT)
        : capped(1 + changed * LOOKUP + times * (inner.complexity + lookupOf(field))),
      depth: isIntrospection ? 0 : 1 + inner.depth,
      introspectionDepth: isIntrospection ? 1 + inner.depth : inner.introspectionDepth,
      aliases: capped((node.alias === undefined ? 0 : 1) + inner.aliases),
      repeats: isPaged ? Math.max(inner.repeats, inner.plainAliases + isTwice) : inner.repeats,
      plainAliases: isPaged ? 0 : capped((node.alias === undefined ? 0 : 1) + inner.plainAliases),
      nodes: isConnection(parent) && node.name.value === 'nodes',
      edges: isConnection(parent) && node.name.value === 'edges',
      rootFields: 1,
      directives: inner.directives,
    }
  }

  return both(
    placed(operation.directives),
    ofSet(operation.selectionSet, schema.getRootType(operation.operation) ?? undefined),
  )
}

function placed(directives: readonly DirectiveNode[] | undefined): Measure {
  return { ...NOTHING, directives: directives?.length ?? 0 }
}

function fieldOf(name: string, parent: GraphQLNamedType | undefined): GraphQLField<unknown, unknown> | undefined {
  for (const meta of [TypeNameMetaFieldDef, SchemaMetaFieldDef, TypeMetaFieldDef]) if (name === meta.name) return meta
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined
}

function isConnection(type: GraphQLNamedType | undefined): boolean {
  return isObjectType(type) && type.getFields()['pageInfo'] !== undefined
}

type Resolve = (node: ValueNode) => unknown

/** `nodes(ids:)` looks up each object separately; other lists load theirs together. */
function lookupOf(field: GraphQLField<unknown, unknown> | undefined): number {
  return field?.args.some(({ name }) => name === 'ids') ? LOOKUP : 0
}

/** How many objects a mutation of many changes: those of the list of ids in its input. 0 for any other mutation. */
function changedBy({ args }: GraphQLField<unknown, unknown>, given: readonly ArgumentNode[], resolve: Resolve): number {
  for (const { name, type } of args) {
    const input = getNamedType(type)
    const ids = isInputObjectType(input)
      ? Object.values(input.getFields()).find((field) => isIdList(field.type))
      : undefined
    if (ids === undefined) continue
    const argument = given.find((one) => one.name.value === name)
    const value = argument === undefined ? undefined : resolve(argument.value)
    const list = typeof value === 'object' && value !== null ? Reflect.get(value, ids.name) : undefined
    return Array.isArray(list) ? Math.max(1, list.length) : 1
  }
  return 0
}

const isIdList = (type: GraphQLInputType) => isListType(getNullableType(type)) && getNamedType(type).name === 'ID'

/** How many objects a field is taken for. */
function lengthOf(
  field: GraphQLField<unknown, unknown>,
  given: readonly ArgumentNode[],
  parent: GraphQLNamedType | undefined,
  resolve: Resolve,
): number {
  const values = new Map(given.map(({ name, value }) => [name.value, resolve(value)]))
  const pageArgs = field.args.filter(({ name }) => name === 'first' || name === 'last')
  if (pageArgs.length > 0 || isConnection(getNamedType(field.type))) {
    const sizes = pageArgs.map(({ name, defaultValue }) => values.get(name) ?? defaultValue)
    const known = sizes.filter((size) => typeof size === 'number')
    return known.length === 0 ? DEFAULT_PAGE : Math.max(1, ...known)
  }
  // The lists within a connection have its length, which is counted there.
  if (!isListType(getNullableType(field.type)) || isConnection(parent)) return 1
  const lists = [...values.values()].filter(Array.isArray).map(({ length }) => length)
  return Math.max(PLAIN_LIST, ...lists)
}

/** Integers, lists and input objects as arguments give them; variables that are left out have their defaults. */
function valuesOf({ variableDefinitions = [] }: OperationDefinitionNode, variables: Readonly<Record<string, unknown>>) {
  const defaults = new Map(variableDefinitions.map(({ variable, defaultValue }) => [variable.name.value, defaultValue]))
  const resolve: Resolve = (node) => {
    if (node.kind === Kind.INT) return Number(node.value)
    if (node.kind === Kind.LIST) return node.values
    if (node.kind === Kind.OBJECT) {
      return Object.fromEntries(node.fields.map(({ name, value }) => [name.value, resolve(value)]))
    }
    if (node.kind !== Kind.VARIABLE) return undefined
    const name = node.name.value
    const standIn = defaults.get(name)
    if (Object.hasOwn(variables, name)) return variables[name]
    return standIn === undefined ? undefined : resolve(standIn)
  }
  return resolve
}

/** The fragments of a document by their names. */
function fragmentsOf({ definitions }: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  const fragments = definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
  return new Map(fragments.map((fragment) => [fragment.name.value, fragment]))
}

/** The selections at the root of an operation: fragments, and what they select. Each set is visited once, so cycles end. */
export function* rootSelections(
  document: DocumentNode,
  { selectionSet }: OperationDefinitionNode,
): Generator<SelectionNode> {
  const fragments = fragmentsOf(document)
  const seen = new Set<SelectionSetNode>()

  function* look(set: SelectionSetNode | undefined): Generator<SelectionNode> {
    if (set === undefined || seen.has(set)) return
    seen.add(set)
    for (const selection of set.selections) {
      yield selection
      if (selection.kind === Kind.INLINE_FRAGMENT) yield* look(selection.selectionSet)
      if (selection.kind === Kind.FRAGMENT_SPREAD) yield* look(fragments.get(selection.name.value)?.selectionSet)
    }
  }

  yield* look(selectionSet)
}
