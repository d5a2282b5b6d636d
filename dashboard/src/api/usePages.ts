import type { AnyVariables, CombinedError, TypedDocumentNode } from '@urql/core'
import { useCallback, useEffect, useState } from 'react'
import { useClient } from 'urql'

export interface Connection<Node> {
  readonly edges: readonly { readonly node: Node }[]
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
}

/** A list as far as it has been loaded. */
export interface Pages<Node> {
  readonly nodes: readonly Node[]
  readonly hasMore: boolean
  /** Nothing is known yet. */
  readonly isLoading: boolean
  readonly isLoadingMore: boolean
  /** The last page that was asked for could not be read; what was read before stays. */
  readonly error: CombinedError | undefined
  readonly loadMore: () => void
  /** Reads it again from the beginning. After a failure: what failed. */
  readonly reload: () => void
}

interface Asked {
  readonly key: string
  /** Where each page begins. */
  readonly cursors: readonly (string | null)[]
  /** Counts up when the list is read again. */
  readonly time: number
}

interface Answer<Data> {
  readonly data: Data | undefined
  readonly error: CombinedError | undefined
}

/**
 * A list page by page, of a document with the variables `first` and `after`. Each page stays subscribed to the cache, so that
 * a mutation shows in it.
 * @param connectionOf the same function each time
 */
export function usePages<Data, Variables extends AnyVariables, Node>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Omit<Variables, 'after'>,
  connectionOf: (data: Data) => Connection<Node> | null,
): Pages<Node> {
  const client = useClient()
  const key = JSON.stringify(variables)
  const [state, setAsked] = useState<Asked>({ key, cursors: [null], time: 0 })
  const asked = state.key === key ? state : { key, cursors: [null], time: 0 }
  const [answers, setAnswers] = useState<{ key: string; pages: readonly Answer<Data>[] }>({ key, pages: [] })
  const { cursors, time } = asked
  const walk = JSON.stringify(cursors)

  // biome-ignore lint/correctness/useExhaustiveDependencies: time asks for the same again
  useEffect(() => {
    const beginnings: (string | null)[] = JSON.parse(walk)
    const subscriptions = beginnings.map((after, index) => {
      const isLast = index === beginnings.length - 1
      const isFirst = index === 0
      const requestPolicy = isFirst && isLast ? 'cache-and-network' : 'cache-first'
      // The cursor is what makes these variables the document's: everything else was given.
      const all = { ...JSON.parse(key), after } as Variables
      return client.query(document, all, { requestPolicy }).subscribe(({ data, error }) => {
        setAnswers((now) => {
          const pages = now.key === key ? [...now.pages] : []
          pages[index] = { data: data ?? undefined, error }
          return { key, pages }
        })
      })
    })
    return () => {
      for (const { unsubscribe } of subscriptions) unsubscribe()
    }
  }, [client, document, key, walk, time])

  const pages = answers.key === key ? answers.pages.slice(0, cursors.length) : []
  const connections = pages.flatMap((page) => (page?.data === undefined ? [] : (connectionOf(page.data) ?? [])))
  const error = pages.find((page) => page?.error !== undefined)?.error
  const end = connections.at(-1)?.pageInfo
  const isWhole = connections.length === cursors.length

  const loadMore = useCallback(() => {
    if (isWhole && end?.endCursor != null) setAsked({ key, cursors: [...JSON.parse(walk), end.endCursor], time })
  }, [key, walk, time, isWhole, end?.endCursor])
  const reload = useCallback(() => {
    // What follows on the old end may not follow on the new one.
    const isRetry = error !== undefined
    setAsked({ key, cursors: isRetry ? JSON.parse(walk) : [null], time: time + 1 })
    if (isRetry) setAnswers((now) => ({ key, pages: now.pages.filter((page) => page?.error === undefined) }))
  }, [key, walk, time, error])

  return {
    nodes: connections.flatMap(({ edges }) => edges.map(({ node }) => node)),
    hasMore: end?.hasNextPage === true,
    isLoading: connections.length === 0 && error === undefined,
    isLoadingMore: connections.length > 0 && !isWhole && error === undefined,
    error,
    loadMore,
    reload,
  }
}
