import { type DirectiveNode, type DocumentNode, GraphQLError, Kind, OperationTypeNode } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { rootSelections } from './cost.ts'

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
  const found = new Set<DirectiveNode>()
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue
    if (definition.operation !== OperationTypeNode.SUBSCRIPTION) continue
    for (const { directives } of rootSelections(document, definition)) {
      const directive = directives?.find(({ name }) => CONDITIONS.has(name.value))
      if (directive !== undefined) found.add(directive)
    }
  }
  return [...found].map(fault)
}

function fault(directive: DirectiveNode): GraphQLError {
  const message = `@${directive.name.value} is not allowed on the root field of a subscription: remove it`
  return new GraphQLError(message, { nodes: [directive] })
}
