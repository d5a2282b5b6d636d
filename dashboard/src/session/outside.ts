import { Client, fetchExchange } from '@urql/core'
import { byDocumentId } from '../api/byDocumentId.ts'
import { patientFetch } from '../api/patientFetch.ts'
import { showWaiting } from '../api/waitingNotice.ts'

/** For what is asked before anybody is in a workspace: without a cache, and without live events. */
export const outside = new Client({
  url: '/graphql',
  preferGetMethod: false,
  fetch: patientFetch(showWaiting),
  exchanges: [byDocumentId(), fetchExchange],
})
