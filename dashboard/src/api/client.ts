import { Client, type Exchange, fetchExchange, mapExchange, subscriptionExchange } from '@urql/core'
import { cache } from './cache.ts'
import { type Connection, openConnection } from './connection.ts'

/** What pages talk to, for one workspace: another workspace gets another client, so that caches never mix. */
export interface Api {
  readonly client: Client
  readonly connection: Connection
  close(): void
}

/** @param onSignedOut the session has ended: nothing will be answered any more */
export function openApi(workspaceId: string, onSignedOut: () => void): Api {
  const connection = openConnection(workspaceId)
  const client = new Client({
    url: '/graphql',
    preferGetMethod: false,
    requestPolicy: 'cache-and-network',
    fetchOptions: { headers: { 'x-workspace-id': workspaceId } },
    exchanges: [watchSession(onSignedOut), cache(), fetchExchange, overSocket(connection)],
  })
  return { client, connection, close: () => connection.close() }
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
    forwardSubscription: ({ query = '', variables }) => ({
      subscribe: (sink) => ({
        unsubscribe: socket.subscribe(
          { query, variables },
          {
            // What graphql-ws may leave out, urql wants to be null or not there at all.
            next: ({ data = null, errors }) =>
              sink.next(errors === undefined ? { data } : { data, errors: [...errors] }),
            error: (error) => sink.error(error),
            complete: () => sink.complete(),
          },
        ),
      }),
    }),
  })
}
