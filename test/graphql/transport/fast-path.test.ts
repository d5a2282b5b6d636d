import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { watchCredentials } from '../../../src/auth/credential-watch.ts'
import { FAST_PATH, type FastPath } from '../../../src/graphql/fast-path/index.ts'
import { createGraphQL, graphqlMiddleware } from '../../../src/graphql/server.ts'
import { trustedDocuments } from '../../../src/graphql/trusted-documents.ts'
import { sha256 } from '../../../src/infra/secrets.ts'
import { openStreams } from '../../../src/live/streams.ts'
import { anAuthenticator, startGudDesk, type TestGudDesk } from '../../support/guddesk.ts'

// The fast path is optional: the same server with and without it answers with the same bytes.

/** Recurring queries are compiled after five runs. */
const RUNS = 8
const TRUSTED = 'query Trusted { viewer { actor { displayName } } }'
// Without the cursors of conversations: they contain a database snapshot, which any transaction changes.
const LIST = `query List($first: Int, $after: String) { conversations(first: $first, after: $after) {
  totalCount pageInfo { hasNextPage hasPreviousPage } edges { node { id status tags createdAt visitor { id name } assignee { id }
  lastMessagePreview messages(last: 2) { edges { cursor node { body type } } } } } } }`

type Way = 'with' | 'without'
const WAYS: readonly Way[] = ['with', 'without']

let guddesk: TestGudDesk
let ids: { conversation: string; visitor: string }
const servers: Server[] = []
const origins = {} as Record<`${Way} ${'any' | 'trusted'}`, string>

beforeAll(async () => {
  guddesk = await startGudDesk()
  const visitor = await guddesk.newVisitor()
  ids = { visitor, conversation: await guddesk.newConversation(guddesk.tenant, 'Hello') }
  for (const way of WAYS) {
    origins[`${way} any`] = await serve(way === 'with' ? FAST_PATH : null)
    origins[`${way} trusted`] = await serve(way === 'with' ? FAST_PATH : null, [TRUSTED])
  }
})

afterAll(async () => {
  for (const server of servers) server.close()
  await guddesk?.stop()
})

async function serve(fastPath: FastPath | null, texts?: readonly string[]): Promise<string> {
  const { deps } = guddesk
  const documents = texts && trustedDocuments(new Map(texts.map((text) => [sha256(text), text])))
  const yoga = createGraphQL({
    ...{ deps, streams: openStreams(deps), credentials: watchCredentials(deps), authenticator: anAuthenticator(deps) },
    ...{ isDevelopment: true, fastPath, ...(documents && { documents }) },
  })
  const app = new Koa()
  app.use((ctx, next) => {
    ctx.state['requestId'] = 'req_test'
    return next()
  })
  app.use(graphqlMiddleware(yoga, documents, fastPath))
  const server = createServer(app.callback())
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`
}

async function answers(
  url: string,
  body: string,
  headers: Record<string, string>,
): Promise<[number, string | null, string][]> {
  const all: [number, string | null, string][] = []
  const authorization = `Bearer ${guddesk.tenant.key}`
  for (let i = 0; i < RUNS; i++) {
    const sent = { authorization, 'content-type': 'application/json', ...headers }
    const response = await fetch(url, { method: 'POST', headers: sent, body })
    all.push([response.status, response.headers.get('content-type'), await response.text()])
  }
  return all
}

type Body = string | object
type Case = readonly [name: string, body: () => Body, headers?: Record<string, string>, documents?: 'trusted']

const deep = `{ viewer ${'{ actor '.repeat(40)}{ name }${' }'.repeat(40)} }`
const CASES: readonly Case[] = [
  ['a list', () => ({ query: LIST, variables: { first: 5 } })],
  ['an object', () => ({ query: 'query ($id: ID!) { node(id: $id) { id } }', variables: { id: ids.visitor } })],
  ['a missing object', () => ({ query: '{ conversation(id: "conv_none") { id } }' })],
  [
    'a mutation',
    () => ({
      query: 'mutation ($id: ID!) { updateVisitor(id: $id, input: { name: "Ann" }) { __typename } }',
      variables: { id: ids.visitor },
    }),
  ],
  ['the other media type', () => ({ query: LIST }), { accept: 'application/graphql-response+json' }],
  ['errors in the other media type', () => ({ query: '{ no }' }), { accept: 'application/graphql-response+json' }],
  ['a media type that there is none of', () => ({ query: LIST }), { accept: 'text/csv' }],
  ['a resolver’s error', () => ({ query: LIST, variables: { first: 0 } })],
  ['a wrong cursor', () => ({ query: LIST, variables: { after: 'x' } })],
  ['a wrong variable', () => ({ query: LIST, variables: { first: 'x' } })],
  ['an unknown operation', () => ({ query: LIST, operationName: 'Other' })],
  ['an unknown field', () => ({ query: '{ viewer { no } }' })],
  ['a syntax error', () => ({ query: '{ viewer {' })],
  ['too many levels', () => ({ query: deep })],
  ['too many tokens', () => ({ query: `{ ${'viewer { __typename } '.repeat(3000)} }` })],
  [
    'too high a cost',
    () => ({
      query: `{ conversations(first: 100) { edges { node { messages(first: 100) { edges { node {
        conversation { messages(first: 100) { edges { node { id } } } } } } } } } } }`,
    }),
  ],
  ['an unknown key', () => ({ query: LIST }), { authorization: 'Bearer nobody' }],
  ['a body that is not JSON', () => '{'],
  ['a list of operations', () => [{ query: LIST }]],
  ['a hash alone', () => ({ extensions: { persistedQuery: { version: 1, sha256Hash: sha256(TRUSTED) } } })],
  ['a trusted document', () => ({ documentId: sha256(TRUSTED) }), {}, 'trusted'],
  ['a trusted document that does not exist', () => ({ documentId: sha256('x') }), {}, 'trusted'],
  ['an untrusted text', () => ({ query: '{ __typename }' }), {}, 'trusted'],
  [
    'a subscription as JSON',
    () => ({ query: 'subscription { inbox { __typename } }' }),
    { accept: 'application/json' },
  ],
]

const named = CASES.map(([name, body, headers = {}, kind]) => ({ name, body, headers, kind: kind ?? ('any' as const) }))

test.each(named)('$name has the same answers without the fast path', async ({ body, headers, kind }) => {
  const made = body()
  const sent = typeof made === 'string' ? made : JSON.stringify(made)
  const all = await Promise.all(WAYS.map((way) => answers(origins[`${way} ${kind}` as const], sent, headers)))
  expect(all[0]).toEqual(all[1])
})

test('the usual requests take the fast path, and only there', async () => {
  const seen: boolean[] = []
  const spy: FastPath = {
    ...FAST_PATH,
    answer(...given) {
      const answer = FAST_PATH.answer(...given)
      seen.push(answer !== undefined)
      return answer
    },
  }
  const url = await serve(spy)
  await answers(url, JSON.stringify({ query: LIST }), {})
  await answers(url, '{', {})
  expect(seen).toEqual([...Array(RUNS).fill(true), ...Array(RUNS).fill(false)])
})
