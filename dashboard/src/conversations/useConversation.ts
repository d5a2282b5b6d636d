import { useCallback, useEffect, useMemo, useState } from 'react'
import { useClient, useQuery } from 'urql'
import { follow } from '../api/follow.ts'
import type { MessageFieldsFragment, OpenConversationQuery } from '../generated/documents.ts'
import { useWorkspace } from '../viewer/workspace.ts'
import { ConversationFeed, EarlierMessages, OpenConversation } from './documents.ts'
import { type Typist, useTypists } from './useTypists.ts'

export type Conversation = NonNullable<OpenConversationQuery['conversation']>
export type Message = MessageFieldsFragment

interface Earlier {
  /** Where the newest of them end; another end makes them worthless. */
  readonly before: string | null
  readonly messages: readonly Message[]
  readonly cursor: string | null
  readonly hasMore: boolean
}

const NONE: Earlier = { before: null, messages: [], cursor: null, hasMore: false }

/** One conversation with its messages, oldest first, live for as long as it is open. */
export function useConversation(id: string) {
  const client = useClient()
  const { memberId } = useWorkspace()
  const [{ data, error, fetching }, reload] = useQuery({ query: OpenConversation, variables: { id } })
  const [loaded, setLoaded] = useState<Earlier>(NONE)
  const [isLoadingEarlier, setLoadingEarlier] = useState(false)
  const { typists, hear } = useTypists(id, memberId)

  useEffect(
    () =>
      follow(client, ConversationFeed, {
        variables: { id },
        cursorOf: ({ conversation: update }) => ('cursor' in update ? update.cursor : null),
        onUpdate: ({ conversation: update }) => hear(update),
        // Messages are read after the feed has begun, so that none falls between the two.
        onFresh: () => reload({ requestPolicy: 'network-only' }),
      }),
    [client, id, hear, reload],
  )

  const conversation = data?.conversation ?? null
  const newest = conversation?.messages
  const before = newest?.pageInfo.startCursor ?? null
  const earlier = loaded.before === before ? loaded : NONE
  const hasEarlier = earlier.before === null ? newest?.pageInfo.hasPreviousPage === true : earlier.hasMore

  const loadEarlier = useCallback(async () => {
    const cursor = earlier.cursor ?? before
    if (cursor === null || isLoadingEarlier) return
    setLoadingEarlier(true)
    const { data: answer } = await client.query(EarlierMessages, { id, before: cursor }).toPromise()
    setLoadingEarlier(false)
    const page = answer?.conversation?.messages
    if (page == null) return
    const messages = [...page.edges.map(({ node }) => node), ...earlier.messages]
    setLoaded({ before, messages, cursor: page.pageInfo.startCursor, hasMore: page.pageInfo.hasPreviousPage })
  }, [client, id, before, earlier, isLoadingEarlier])

  const messages = useMemo(
    () => [...earlier.messages, ...(newest?.edges.map(({ node }) => node) ?? [])],
    [earlier.messages, newest],
  )
  return {
    conversation,
    messages,
    typists,
    error,
    isLoading: fetching && data === undefined,
    reload,
    hasEarlier,
    loadEarlier,
    isLoadingEarlier,
  }
}

export type { Typist }
