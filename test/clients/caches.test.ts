import { readFileSync } from 'node:fs'
import { ApolloClient, ApolloLink, gql as apolloGql, HttpLink, InMemoryCache } from '@apollo/client'
import { Client, fetchExchange, gql } from '@urql/core'
import { cacheExchange } from '@urql/exchange-graphcache'
import { minifyIntrospectionQuery } from '@urql/introspection'
import { buildSchema, introspectionFromSchema } from 'graphql'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import facts from '../../schema.cache.json' with { type: 'json' }
import { startGudDesk, type TestGudDesk } from '../support/guddesk.ts'
import { SCHEMA } from './run.ts'

let guddesk: TestGudDesk
let conversationId: string

beforeEach(async () => {
  guddesk = await startGudDesk()
  conversationId = await guddesk.newConversation(guddesk.tenant, 'Where is my order?')
  for (const method of ['warn', 'error'] as const) vi.spyOn(console, method)
})

afterEach(async () => {
  vi.restoreAllMocks()
  await guddesk.stop()
})

function expectNoComplaints(): void {
  expect(vi.mocked(console.warn).mock.calls).toEqual([])
  expect(vi.mocked(console.error).mock.calls).toEqual([])
}

const THREAD = `query Thread($id: ID!) {
  viewer { permission actor { id displayName } }
  conversation(id: $id) {
    id status subject metadata
    visitor { id displayName }
    assignee { id displayName }
    messages(last: 10) { nodes { id body sender { id displayName ... on Member { email } } } pageInfo { hasPreviousPage } }
  }
}`

const LIST = `query List { conversations(first: 10) { totalCount nodes { id status tags } } inboxCounts { open } }`

const CLOSE = `mutation Close($input: UpdateConversationInput!) {
  updateConversation(input: $input) { conversation { id status updatedAt } error { code message fields { path message } } }
}`

test('urql with graphcache, aware of the schema, shows a change in every list and complains about nothing', async () => {
  const schema = minifyIntrospectionQuery(introspectionFromSchema(buildSchema(readFileSync(SCHEMA, 'utf8'))), {
    includeScalars: true,
    includeEnums: true,
    includeInputs: true,
  })
  const keys = Object.fromEntries(facts.keyless.map((type) => [type, () => null]))
  const client = new Client({
    url: `${guddesk.origin}/graphql`,
    preferGetMethod: false,
    fetchOptions: { headers: { authorization: `Bearer ${guddesk.tenant.key}` } },
    exchanges: [cacheExchange({ schema, keys }), fetchExchange],
  })
  const read = async (document: string, variables = {}) => {
    const result = await client.query(gql(document), variables, { requestPolicy: 'cache-first' }).toPromise()
    expect(result.error).toBeUndefined()
    return result
  }

  await read(THREAD, { id: conversationId })
  await read(LIST)
  const closed = await client.mutation(gql(CLOSE), { input: { conversationId, status: 'CLOSED' } }).toPromise()
  expect(closed.error).toBeUndefined()
  const { data, operation } = await read(LIST)
  expect(operation.context.meta?.cacheOutcome).toBe('hit')
  expect(data.conversations.nodes).toMatchObject([{ id: conversationId, status: 'CLOSED' }])

  const refused = await client
    .mutation(gql(CLOSE), { input: { conversationId: 'conv_none', status: 'OPEN' } })
    .toPromise()
  expect(refused.data.updateConversation).toMatchObject({ conversation: null, error: { code: 'NOT_FOUND' } })
  expectNoComplaints()
})

test('Apollo, with the possible types, shows a change in every list and complains about nothing', async () => {
  const typePolicies = Object.fromEntries(facts.keyless.map((type) => [type, { keyFields: false as const }]))
  const headers = { authorization: `Bearer ${guddesk.tenant.key}` }
  const client = new ApolloClient({
    link: ApolloLink.from([new HttpLink({ uri: `${guddesk.origin}/graphql`, headers })]),
    cache: new InMemoryCache({ possibleTypes: facts.possibleTypes, typePolicies }),
  })
  const thread = await client.query<{ conversation: object }>({
    query: apolloGql(THREAD),
    variables: { id: conversationId },
  })
  expect(thread.data?.conversation).toMatchObject({ id: conversationId, status: 'OPEN' })
  await client.query({ query: apolloGql(LIST) })
  await client.mutate({ mutation: apolloGql(CLOSE), variables: { input: { conversationId, status: 'CLOSED' } } })
  const { data } = await client.query<{ conversations: object }>({ query: apolloGql(LIST), fetchPolicy: 'cache-only' })
  expect(data?.conversations).toMatchObject({ nodes: [{ id: conversationId, status: 'CLOSED' }] })

  // A fragment on an interface matches the objects that implement it.
  const sender = client.readFragment({
    id: client.cache.identify({ __typename: 'Conversation', id: conversationId }),
    fragment: apolloGql(`fragment Who on Node { id ... on Conversation { visitor { ... on Actor { displayName } } } }`),
  })
  expect(sender).toMatchObject({ id: conversationId, visitor: { displayName: expect.any(String) } })
  client.stop()
  expectNoComplaints()
})
