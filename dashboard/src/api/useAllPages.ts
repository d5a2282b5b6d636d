import type { AnyVariables, TypedDocumentNode } from '@urql/core'
import { useEffect } from 'react'
import { type Connection, type Pages, usePages } from './usePages.ts'

/**
 * A list that is shown as a whole, such as the members of a workspace: one page after the other, without being asked.
 * @param connectionOf the same function each time
 */
export function useAllPages<Data, Variables extends AnyVariables, Node>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Omit<Variables, 'after'>,
  connectionOf: (data: Data) => Connection<Node> | null,
): Pages<Node> {
  const pages = usePages(document, variables, connectionOf)
  const { hasMore, isLoadingMore, error, loadMore } = pages
  useEffect(() => {
    if (hasMore && !isLoadingMore && error === undefined) loadMore()
  }, [hasMore, isLoadingMore, error, loadMore])
  return pages
}
