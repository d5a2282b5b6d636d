import { Client, type Exchange, fetchExchange, mapExchange, subscriptionExchange } from '@urql/core'
import { byDocumentId } from './byDocumentId.ts'
import { type CacheRules, cache } from './cache.ts'
import { type Connection, openConnection } from './connection.ts'
import { patientFetch } from './patientFetch.ts'
import { showWaiting } from './waitingNotice.ts'

/** What pages talk to, for one workspace: another workspace gets another client, so that caches never mix. */
export interface Api {
  readonly client: Client
  /** For streams that bring more than anybody will look at again: without the cache, which keeps what it is given. */
  readonly stream: Client
  readonly connection: Connection
  close(): void
}

/** @param onSignedOut called when the session has ended */
export function openApi(workspaceId: string, rules: CacheRules, onSignedOut: () => void): Api {
  const connection = openConnection(workspaceId)
  const client = new Client({
    url: '/graphql',
    preferGetMethod: false,
    requestPolicy: 'cache-and-network',
    fetch: patientFetch(showWaiting),
    fetchOptions: { headers: { 'x-workspace-id': workspaceId } },
    exchanges: [watchSession(onSignedOut), cache(rules), byDocumentId(), fetchExchange, overSocket(connection)],
  })
  const stream = new Client({
    url: '/graphql',
    preferGetMethod: false,
    exchanges: [watchSession(onSignedOut), overSocket(connection)],
  })
  return { client, stream, connection, close: connection.close }
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
