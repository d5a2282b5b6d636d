import { Client, fetchExchange } from '@urql/core'
import { byDocumentId } from './byDocumentId.ts'

/** For what is asked before anybody is in a workspace: without a cache, and without live events. */
export const outside = new Client({
  url: '/graphql',
  preferGetMethod: false,
  exchanges: [byDocumentId(), fetchExchange],
})
