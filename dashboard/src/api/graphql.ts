import { gql, type TypedDocumentNode } from '@urql/core'
import type { Documents } from '../generated/documents.ts'

type Fragment = TypedDocumentNode<unknown, never>

/**
 * A typed GraphQL document. Its types are found by its text, so the text is one literal in backticks.
 * Fragments are documents too: spread one by its name, and pass it after the text.
 */
export function graphql<const Text extends keyof Documents>(
  text: Text,
  ...fragments: Fragment[]
): TypedDocumentNode<Documents[Text]['result'], Documents[Text]['variables']> {
  const parts = [text, ...fragments.map(() => '\n')]
  return gql(Object.assign(parts, { raw: parts }), ...fragments)
}
