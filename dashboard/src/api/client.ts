import { Client, type Exchange, fetchExchange, mapExchange, subscriptionExchange } from '@urql/core'
import { InboxFeed } from '../pages/inbox/documents.ts'
import { byDocumentId } from './byDocumentId.ts'
import { cache } from './cache.ts'
import { type Connection, openConnection } from './connection.ts'
import { follow } from './follow.ts'
import { patientFetch } from './patientFetch.ts'
import { openSignal, type Signal } from './signal.ts'
import { showWaiting } from './waitingNotice.ts'

/** What pages talk to, for one workspace: another workspace gets another client, so that caches never mix. */
export interface Api {
  readonly client: Client
  /** For streams that bring more than anybody will look at again: without the cache, which keeps what it is given. */
  readonly stream: Client
  readonly connection: Connection
  /** Conversations have changed; the cache has them already. */
  readonly inboxChanged: Signal
  /** Live events have begun anew: lists that were read before may have missed something and are to be read again. */
  readonly inboxFresh: Signal
  close(): void
}

/** @param onSignedOut the session has ended: nothing will be answered any more */
export function openApi(workspaceId: string, onSignedOut: () => void): Api {
  const connection = openConnection(workspaceId)
  const client = new Client({
    url: '/graphql',
    preferGetMethod: false,
    requestPolicy: 'cache-and-network',
    fetch: patientFetch(showWaiting),
    fetchOptions: { headers: { 'x-workspace-id': workspaceId } },
    exchanges: [watchSession(onSignedOut), cache(), byDocumentId(), fetchExchange, overSocket(connection)],
  })
  const stream = new Client({
    url: '/graphql',
    preferGetMethod: false,
    exchanges: [watchSession(onSignedOut), overSocket(connection)],
  })
  const inboxChanged = openSignal()
  const inboxFresh = openSignal()
  // Followed as long as the workspace is open, so that every list in the cache stays true.
  const unfollow = follow(client, InboxFeed, {
    variables: {},
    cursorOf: ({ inbox }) => inbox.cursor,
    onUpdate: inboxChanged.send,
    onFresh: inboxFresh.send,
  })
  return {
    client,
    stream,
    connection,
    inboxChanged,
    inboxFresh,
    close() {
      unfollow()
      connection.close()
    },
  }
}

function watchSession(onSignedOut: () => void): Exchange {
  return mapExchange({
    onError: ({ graphQLErrors, response }) => {
      const isOver =
        response?.status === 401 || graphQLErrors.some(({ extensions }) => extensions['code'] === 'unauthorized')
      if (isOver) onSignedOut()
    },
  })
}

function overSocket({ socket }: Connection): Exchange {
  return subscriptionExchange({
    forwardSubscription: ({ query = '', variables, extensions = {} }) => ({
      subscribe: (sink) => ({
        unsubscribe: socket.subscribe(
          { query, variables, extensions },
          {
            // What graphql-ws may leave out, urql wants to be null or not there at all.
            next: ({ data = null, errors }) =>
              sink.next(errors === undefined ? { data } : { data, errors: [...errors] }),
            error: (error) => sink.error(error),
            // Streams have no end of their own: the server ends them when it stops, and follow() begins again.
            complete: () => sink.error(new Error('The stream ended')),
          },
        ),
      }),
    }),
  })
}
