import type { FieldNode, FragmentDefinitionNode, GraphQLResolveInfo, SelectionSetNode } from 'graphql'

/** The fields that an operation asks for of an object, whatever the conditions of fragments and directives. */
export interface FieldSelection {
  readonly names: readonly string[]
  has(name: string): boolean
  /** Those beneath a field; none beneath one that is not asked for. */
  under(name: string): FieldSelection
}

/** What is asked for beneath the field that is being resolved, at a path of field names. */
export function selectedFields(
  { fieldNodes, fragments }: GraphQLResolveInfo,
  ...path: readonly string[]
): FieldSelection {
  return path.reduce((selection, name) => selection.under(name), selectionOf(fieldNodes, fragments))
}

/** What is asked for of the rows of the connection that is being resolved, by whichever of its two fields. */
export function selectedOfRows(info: GraphQLResolveInfo): FieldSelection {
  return together(selectedFields(info, 'edges', 'node'), selectedFields(info, 'nodes'))
}

function together(one: FieldSelection, other: FieldSelection): FieldSelection {
  return {
    names: [...new Set([...one.names, ...other.names])],
    has: (name) => one.has(name) || other.has(name),
    under: (name) => together(one.under(name), other.under(name)),
  }
}

type Fragments = Readonly<Record<string, FragmentDefinitionNode | undefined>>

function selectionOf(nodes: readonly FieldNode[], fragments: Fragments): FieldSelection {
  const fields = new Map<string, FieldNode[]>()
  for (const { selectionSet } of nodes) collect(selectionSet, fragments, fields)
  return {
    names: [...fields.keys()],
    has: (name) => fields.has(name),
    under: (name) => selectionOf(fields.get(name) ?? [], fragments),
  }
}

function collect(set: SelectionSetNode | undefined, fragments: Fragments, into: Map<string, FieldNode[]>): void {
  for (const selection of set?.selections ?? []) {
    if (selection.kind === 'InlineFragment') collect(selection.selectionSet, fragments, into)
    else if (selection.kind === 'FragmentSpread') {
      collect(fragments[selection.name.value]?.selectionSet, fragments, into)
    } else {
      const nodes = into.get(selection.name.value)
      if (nodes === undefined) into.set(selection.name.value, [selection])
      else nodes.push(selection)
    }
  }
}

/**
 * The columns that fields read: the id, those of the fields' own names, and what `others` says of the other fields.
 * @returns all of them when a field is none of these: slower, never wrong
 */
export function projectedColumns<Column extends string>(
  { names }: FieldSelection,
  all: readonly Column[],
  others: Readonly<Record<string, readonly Column[]>>,
): readonly Column[] {
  const columns = new Set<string>(['id'])
  for (const name of names) {
    const read = all.includes(name as Column) ? [name] : name === '__typename' ? [] : others[name]
    if (read === undefined) return all
    for (const column of read) columns.add(column)
  }
  return all.filter((column) => columns.has(column))
}
