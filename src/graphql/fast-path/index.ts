import type { IncomingHttpHeaders } from 'node:http'
import type { Plugin, YogaServerInstance } from 'graphql-yoga'
import type { KnownDocuments } from '../trusted-documents.ts'
import type { Incoming } from '../websocket.ts'
import { compiledQueries } from './compiled-queries.ts'
import { type Answer, answerPlain, plainRequest } from './plain-requests.ts'

/*
 * The fast path: optional code that makes usual GraphQL requests cheaper, and changes no answer.
 *
 * What may come in: a part that saves at least 10 % of the processor time of `npm run bench:graphql`, when it alone is
 * left out. Limits, authentication, trusted documents, timeouts and masking of errors are Yoga's plugins, and apply with
 * and without it.
 *
 * How to leave it out: pass `fastPath: null` to `createGraphQL`, and null to `graphqlMiddleware`. Yoga then answers every
 * request. test/graphql/transport/fast-path.test.ts compares the answers byte by byte.
 */

/** A request as it came from the socket, its body read. */
export interface PostedRequest {
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** The parts of the fast path that the GraphQL server uses. */
export interface FastPath {
  /**
   * Runs recurring queries as compiled functions.
   * @param again called before the executor repeats a compiled query that failed
   */
  compiledQueries<Context extends object>(again: (context: Context) => void): Plugin<Context>
  /** @returns undefined for a request that Yoga's HTTP layer has to answer */
  answer<Context extends object>(
    yoga: YogaServerInstance<Incoming, Context>,
    documents: Pick<KnownDocuments, 'find'>,
    request: PostedRequest,
    incoming: Incoming,
  ): Promise<Answer> | undefined
}

/** The fast path; null in its place leaves it out. */
export const FAST_PATH: FastPath = {
  compiledQueries,
  answer(yoga, documents, { headers, body }, incoming) {
    const plain = plainRequest(headers, body, documents.find)
    return plain && answerPlain(yoga, plain, incoming)
  },
}
