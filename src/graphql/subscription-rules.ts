import {
  type DirectiveNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  OperationTypeNode,
  type SelectionSetNode,
} from 'graphql'
import type { Plugin } from 'graphql-yoga'

const CONDITIONS: ReadonlySet<string> = new Set(['skip', 'include'])

/**
 * Refuses @skip and @include at the root of a subscription, as the GraphQL specification of September 2025 does.
 * graphql-js counts root fields without knowing the variables, and throws if a condition depends on one.
 */
export function unconditionalSubscriptions(): Plugin {
  return {
    onValidate({ params: { documentAST }, setResult }) {
      const faults = conditionsAtRoot(documentAST)
      if (faults.length > 0) setResult(faults)
    },
  }
}

function conditionsAtRoot(document: DocumentNode): GraphQLError[] {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  }
  const seen = new Set<SelectionSetNode>()
  const faults: GraphQLError[] = []

  function look(root: SelectionSetNode): void {
    if (seen.has(root)) return
    seen.add(root)
    for (const selection of root.selections) {
      const directive = selection.directives?.find(({ name }) => CONDITIONS.has(name.value))
      if (directive !== undefined) faults.push(fault(directive))
      if (selection.kind === Kind.INLINE_FRAGMENT) look(selection.selectionSet)
      if (selection.kind !== Kind.FRAGMENT_SPREAD) continue
      const fragment = fragments.get(selection.name.value)
      if (fragment !== undefined) look(fragment.selectionSet)
    }
  }

  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue
    if (definition.operation === OperationTypeNode.SUBSCRIPTION) look(definition.selectionSet)
  }
  return faults
}

function fault(directive: DirectiveNode): GraphQLError {
  const message = `@${directive.name.value} is not allowed on the root field of a subscription: remove it`
  return new GraphQLError(message, { nodes: [directive] })
}
