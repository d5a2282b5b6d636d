import { useEffect, useState } from 'react'
import { follow, request } from './api.ts'
import type { ConversationFilter, InboxRowFragment } from './gql/graphql.ts'
import { graphql } from './gql/index.ts'

const PAGE = 50
graphql(`fragment InboxRow on Conversation {
  id subject lastActivityAt lastMessagePreview visitor { displayName } assignee { displayName }
}`)

const LIST = graphql(`query InboxList($filter: ConversationFilter!, $first: Int!) {
  conversations(filter: $filter, first: $first) { nodes { ...InboxRow } pageInfo { hasNextPage } }
}`)

const UPDATES = graphql(`subscription InboxUpdates($filter: ConversationFilter!, $after: String) {
  inbox(filter: $filter, after: $after) { cursor removedIds conversations { ...InboxRow } }
}`)

/** The latest conversations of a filter, kept as a fresh query would return them. */
export function useInbox(filter: ConversationFilter): readonly InboxRowFragment[] {
  const [rows, setRows] = useState<readonly InboxRowFragment[]>([])
  useEffect(() => {
    const stop = new AbortController()
    let byId = new Map<string, InboxRowFragment>()
    let [hasMore, isStale] = [false, true]

    async function read() {
      const { conversations } = await request(LIST, { filter, first: PAGE })
      byId = new Map(conversations?.nodes.map((row) => [row.id, row]))
      hasMore = conversations?.pageInfo.hasNextPage ?? false
    }

    void follow(
      UPDATES,
      { filter },
      ({ inbox }) => inbox.cursor,
      async ({ inbox }, isFresh) => {
        const removed = inbox.removedIds.filter((id) => byId.delete(id))
        for (const row of inbox.conversations) byId.set(row.id, row)
        // Where the list goes on, the next row moves up. A failed read is made up for after the next update.
        isStale ||= isFresh || (hasMore && removed.length > 0)
        if (isStale) await read()
        isStale = false
        if (!stop.signal.aborted) setRows([...byId.values()].sort(latestFirst).slice(0, PAGE))
      },
      stop.signal,
    )
    return () => stop.abort()
  }, [filter])
  return rows
}

const latestFirst = (a: InboxRowFragment, b: InboxRowFragment) =>
  b.lastActivityAt.localeCompare(a.lastActivityAt) || (b.id > a.id ? 1 : -1)
