import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGudDesk, type TestGudDesk } from '../support/guddesk.ts'
import { statementsOf } from '../support/statements.ts'

let guddesk: TestGudDesk

beforeAll(async () => {
  guddesk = await startGudDesk({ env: { GUDDESK_ROLES: 'api' } })
})

afterAll(() => guddesk?.stop())

/** Another of everything: what the lists below show. */
async function grow(): Promise<void> {
  const id = await guddesk.newConversation(guddesk.tenant, 'Hello')
  const { memberId } = await guddesk.newMember(guddesk.tenant, 'Mia')
  const invite = `mutation { inviteMember(input: { email: "${memberId}@example.com", role: AGENT }) { __typename } }`
  await guddesk.graphql(invite)
  await guddesk.call('PATCH', `/api/v1/conversations/${id}`, { assigneeId: memberId })
  for (const body of ['one', 'two', 'three']) {
    await guddesk.call('POST', `/api/v1/conversations/${id}/messages`, { body, type: 'AGENT' })
  }
  const port = 10_000 + Math.floor(Math.random() * 50_000)
  const install = { name: 'Bot', webhookUrl: `http://127.0.0.1:${port}/${id}` }
  await guddesk.call('POST', '/api/v1/agents', install)
  await guddesk.newConversation(guddesk.tenant, 'For the agents')
  const created = await guddesk.graphql(`mutation { createCollection(input: { name: "Money" }) {
    ... on CreateCollectionPayload { collection { id } } } }`)
  const { id: collectionId } = created.data.createCollection.collection
  await guddesk.call('POST', '/api/v1/articles', { title: `Refunds ${id}`, body: 'Ask us.', collectionId })
}

const LISTS: Record<string, string> = {
  'conversations with people and messages': `{ conversations(first: 50) { edges { node {
    id visitor { id name } assignee { id name } messages(last: 3) { edges { node { id body senderName } } }
  } } } }`,
  'conversations with two slices of messages': `{ conversations(first: 50) { totalCount edges { node {
    first: messages(first: 1) { edges { node { id } } } last: messages(last: 1) { totalCount edges { node { id } } }
  } } } }`,
  'agents with their endpoints': `{ agents(first: 50) { edges { node { id webhookEndpoints { id url } } } } }`,
  'deliveries with endpoint and attempts': `{ deliveries(first: 50) { edges { node {
    id eventType endpoint { id url } attempts { number statusCode }
  } } } }`,
  'articles with their bodies and collections': `{ articles(first: 50) { totalCount edges { node {
    id title body collection { id name }
  } } } }`,
  collections: `{ collections(first: 50) { totalCount edges { node { id name } } } }`,
  visitors: `{ visitors(first: 50) { totalCount edges { node { id name } } } }`,
  'webhook endpoints': `{ webhookEndpoints(first: 50) { edges { node { id url } } } }`,
  'API keys': `{ apiKeys(first: 50) { edges { node { id name } } } }`,
  workspaces: `{ workspaces(first: 50) { totalCount edges { node { id name members { id email } } } } }`,
  invitations: `{ invitations(first: 50) { totalCount edges { node { id email role } } } }`,
  'own API keys': `{ ownApiKeys(first: 50) { edges { node { id name allWorkspaces } } } }`,
  'audit entries': `{ auditEntries(first: 50) { totalCount edges { node { id action data } } } }`,
  events: `{ events(first: 50) { totalCount edges { node { id type data } } } }`,
  'members of the workspace': `{ workspace { members { id name email } } }`,
}

test.each(Object.entries(LISTS))('%s: as many statements for many rows as for few', async (_name, query) => {
  const ask = async () => {
    const { body } = await guddesk.graphql(query)
    expect(body.errors).toBeUndefined()
  }
  await grow()
  await ask()
  const few = await statementsOf(guddesk, ask)
  await grow()
  await grow()
  const many = await statementsOf(guddesk, ask)
  expect(few.length).toBeGreaterThan(1)
  expect(many.length, many.join('\n')).toBe(few.length)
})

test('a list of conversations with visitor, assignee and messages costs at most 6 statements', async () => {
  const query = LISTS['conversations with people and messages'] ?? ''
  const statements = await statementsOf(guddesk, () => guddesk.graphql(query))
  expect(statements.length).toBeGreaterThan(2)
  expect(statements.length, statements.join('\n')).toBeLessThanOrEqual(6)
})
